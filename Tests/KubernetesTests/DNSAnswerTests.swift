import Testing

@testable import Kubernetes

@Suite struct DNSAnswerTests {
    static func question(_ family: DNSQuestion.Family = .ipv4) throws -> DNSQuestion {
        try #require(DNSQuestion(name: "Api.Example.", family: family, id: 0x1234))
    }

    /// `api.example`, as a question has it.
    static let name: [UInt8] = [3, 0x61, 0x70, 0x69, 7, 0x65, 0x78, 0x61, 0x6D, 0x70, 0x6C, 0x65, 0]

    /// A header with one question and so many answers.
    static func header(_ answers: UInt8, flags: [UInt8] = [0x81, 0x80], type: UInt8 = 1) -> [UInt8] {
        [0x12, 0x34] + flags + [0, 1, 0, answers, 0, 0, 0, 0] + name + [0, type, 0, 1]
    }

    /// A record of class IN.
    static func record(_ owner: [UInt8], type: UInt8, _ data: [UInt8]) -> [UInt8] {
        owner + [0, type, 0, 1, 0, 0, 0, 60, 0, UInt8(data.count)] + data
    }

    /// A pointer to the name of the question.
    static let pointer: [UInt8] = [0xC0, 12]

    @Test func `a question is a message`() throws {
        let bytes = try Self.question().bytes

        #expect(bytes == [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + Self.name + [0, 1, 0, 1])
    }

    @Test(arguments: ["", ".", "a..b", String(repeating: "a", count: 64), String(repeating: "a.", count: 127) + "b"])
    func `what is no name is not asked for`(name: String) {
        #expect(DNSQuestion(name: name, family: .ipv4, id: 1) == nil)
    }

    @Test func `all addresses of an answer are found`() throws {
        let bytes =
            Self.header(2) + Self.record(Self.pointer, type: 1, [10, 0, 0, 1])
            + Self.record(Self.name, type: 1, [10, 0, 0, 2])

        let answer = try DNSAnswer(bytes, to: Self.question())

        #expect(answer.addresses == ["10.0.0.1", "10.0.0.2"])
        #expect(!answer.isTruncated)
    }

    @Test func `an IPv6 address is eight groups`() throws {
        let data: [UInt8] = [0xFD] + [UInt8](repeating: 0, count: 14) + [1]
        let bytes = Self.header(1, type: 28) + Self.record(Self.pointer, type: 28, data)

        #expect(try DNSAnswer(bytes, to: Self.question(.ipv6)).addresses == ["fd00:0:0:0:0:0:0:1"])
    }

    @Test func `aliases are followed, and other names are not`() throws {
        let alias: [UInt8] = [1, 0x62, 0xC0, 16]
        let bytes =
            Self.header(3) + Self.record(Self.pointer, type: 5, alias)
            + Self.record([1, 0x63, 0], type: 1, [6, 6, 6, 6])
            + Self.record([1, 0x42] + Self.name.dropFirst(4), type: 1, [10, 0, 0, 3])

        #expect(try DNSAnswer(bytes, to: Self.question()).addresses == ["10.0.0.3"])
    }

    @Test func `a name that does not exist has no addresses`() throws {
        let answer = try DNSAnswer(Self.header(0, flags: [0x81, 0x83]), to: Self.question())

        #expect(answer.isNameUnknown)
        #expect(answer.addresses.isEmpty)
    }

    @Test func `what is there of a truncated answer is taken`() throws {
        let whole = Self.record(Self.pointer, type: 1, [10, 0, 0, 1])

        let answer = try DNSAnswer(
            Self.header(2, flags: [0x83, 0x80]) + whole + whole.dropLast(2),
            to: Self.question()
        )

        #expect(answer.isTruncated)
        #expect(answer.addresses == ["10.0.0.1"])
    }

    @Test func `a refusal, another question and another id are errors`() throws {
        let question = try Self.question()

        #expect(throws: DNSError("the server refuses with code 2")) {
            try DNSAnswer(Self.header(0, flags: [0x81, 0x82]), to: question)
        }
        #expect(throws: DNSError("it answers another question")) {
            try DNSAnswer(Self.header(0, type: 28), to: question)
        }
        #expect(throws: DNSError("it answers another question")) {
            try DNSAnswer([0x12, 0x35] + Self.header(0).dropFirst(2), to: question)
        }
        #expect(throws: DNSError("it is no answer")) {
            try DNSAnswer(Self.header(0, flags: [0x01, 0x00]), to: question)
        }
    }

    @Test func `a name that points at itself ends`() throws {
        let bytes = Self.header(1) + Self.record([0xC0, 29], type: 1, [10, 0, 0, 1])

        #expect(throws: DNSError("a name does not end")) { try DNSAnswer(bytes, to: Self.question()) }
    }
}
