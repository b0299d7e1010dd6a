import Testing

@testable import Redirect

/// The limits of a value, each with what is just allowed and one past it.
@Suite struct ValueReaderTests {
    static let reader = ValueReader(emptyElements: .refused)

    @Test func `the longest value is read`() throws {
        let value = String(repeating: " ", count: ValueReader.longestBytes - 2) + "80"

        #expect(try Self.reader.ports(value) == [80])
    }

    @Test func `a value that is a byte too long is refused`() {
        let value = String(repeating: " ", count: ValueReader.longestBytes - 1) + "80"

        #expect(throws: ValueError(value, .tooLong(bytes: 65_537, limit: 65_536), .ports)) {
            try Self.reader.ports(value)
        }
    }

    @Test func `the longest list is read`() throws {
        let value = Array(repeating: "80", count: ValueReader.mostElements).joined(separator: ",")

        #expect(try Self.reader.ports(value).count == 10_000)
    }

    @Test func `a list with an element too many is refused`() {
        let value = Array(repeating: "80", count: ValueReader.mostElements + 1).joined(separator: ",")

        #expect(throws: ValueError(value, .tooManyElements(count: 10_001, limit: 10_000), .ports)) {
            try Self.reader.ports(value)
        }
    }

    @Test(arguments: Annotation.allCases.filter { annotation in annotation.takesList })
    func `every list of a pod has the limits`(annotation: Annotation) {
        let long = String(repeating: ",", count: ValueReader.longestBytes)
        let many = String(repeating: ",", count: ValueReader.mostElements)

        for value in [long + ",", many] {
            guard case .annotation(let error) = refusal(annotation, value) else {
                Issue.record("\(annotation.name) took \(value.utf8.count) commas")
                continue
            }
            switch error.reason.problem {
            case .tooLong(bytes: 65_537, limit: _), .tooManyElements(count: 10_001, limit: _): break
            default: Issue.record("\(error.description)")
            }
        }
    }

    @Test(arguments: [
        ("80,", "\"80,\" has an empty element; expected a comma-separated list of ports 0-65535"),
        ("*", "\"*\" cannot be used here; expected a comma-separated list of ports 0-65535"),
        ("http", "\"http\" is not a port; expected a comma-separated list of ports 0-65535"),
        (
            "80,http",
            "\"80,http\": element 2, \"http\", is not a port; expected a comma-separated list of ports 0-65535"
        ),
    ])
    func `a refusal says what is wrong and what would be right`(value: String, expected: String) {
        let error = #expect(throws: ValueError.self) { try Self.reader.ports(value) }

        #expect(error?.description == expected)
    }

    @Test func `of a long value 200 characters are shown`() throws {
        let value = String(repeating: "1", count: 60_000)

        let error = try #require(throws: ValueError.self) { try Self.reader.ports(value) }

        #expect(error.description.hasPrefix("\"" + String(repeating: "1", count: 200) + "\"... is not a port"))
    }

    @Test(arguments: [
        ("a\"b\\c", "\"a\\\"b\\\\c\""), ("\u{1B}[31m", "\"\\u{1b}[31m\""), ("a\nb", "\"a\\u{a}b\""),
        ("\u{202E}x", "\"\\u{202e}x\""), ("é", "\"é\""), ("", "\"\""),
    ])
    func `text from outside cannot draw on a terminal`(text: String, expected: String) {
        #expect(ShortenedText(text).description == expected)
    }

    @Test func `flags may have empty elements, and are counted with them`() throws {
        let reader = ValueReader(emptyElements: .dropped)

        #expect(try reader.ports(",80,,443,") == [80, 443])
        #expect(try reader.ports(",,").isEmpty)
        #expect(throws: ValueError("80,,x", .elementNotAccepted(ShortenedText("x"), number: 3), .ports)) {
            try reader.ports("80,,x")
        }
    }

    @Test(arguments: [
        "0.0.0.0", "255.255.255.255", "::", "::1", "1::", "fd00::5", "2001:db8::1:0:0:1", "::ffff:10.0.0.5",
        "1:0:2:3:4:5:6:7", "1:2:3:4:5:6:7:8", "ff02::1",
    ])
    func `an address reads back as it was written`(text: String) {
        #expect(IPAddress(text)?.description == text)
    }

    @Test(arguments: [
        ("FD00::5", "fd00::5"), ("0:0:0:0:0:0:0:1", "::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("::ffff:0a00:5", "::ffff:10.0.0.5"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::1.2.3.4", "::102:304"),
        ("0000:0000:0000:0000:0000:ffff:255.255.255.255", "::ffff:255.255.255.255"),
    ])
    func `an address has one form`(text: String, expected: String) {
        #expect(IPAddress(text)?.description == expected)
    }

    @Test(arguments: [
        "", " ", "1.2.3", "1.2.3.4.5", "1.2.3.04", "1.2.3.256", "1.2.3.4 ", "1..2.3", "::1%lo", ":::", ":1", "1:",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "1:2:3:4:5:6:7:8::", "::12345", "::g", "::1.2.3", "1.2.3.4::",
        "1:2:3:4:5:6:7:1.2.3.4", "0x7f.0.0.1", "１.2.3.4",
    ])
    func `what is no address is not read`(text: String) {
        #expect(IPAddress(text) == nil)
    }
}

extension Annotation {
    fileprivate var takesList: Bool {
        switch form {
        case .ports, .portsOrAll, .ranges, .rangesOrAll, .interfaces: true
        default: false
        }
    }
}
