import Kubernetes
import Testing

@Suite struct ListDecoderTests {
    static let list = Array(
        #"""
        {"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"416","continue":"c\"}]"},
         "items":[{"a":"]}\\"},{"b":[1,{"c":[]}]} , 12,"x",null],"more":[{}], "last" : false }

        """#.utf8
    )
    static let items = [#"{"a":"]}\\"}"#, #"{"b":[1,{"c":[]}]}"#, "12", "\"x\"", "null"]

    @Test(arguments: 0...list.count)
    func `items do not depend on where the chunks were cut`(cut: Int) throws {
        var decoder = ListDecoder()

        let items = try decoder.append(Array(Self.list[..<cut])) + decoder.append(Array(Self.list[cut...]))
        let metadata = try decoder.finish()

        #expect(items.map { String(decoding: $0, as: UTF8.self) } == Self.items)
        #expect(metadata.version == "416")
        #expect(metadata.continuation == #"c"}]"#)
    }

    @Test func `a list can arrive byte by byte`() throws {
        var decoder = ListDecoder()

        let items = try Self.list.flatMap { byte in try decoder.append([byte]) }

        #expect(items.count == Self.items.count)
    }

    @Test(arguments: [
        #"{"items":[],"metadata":{"resourceVersion":"1"}}"#, #"{"items":null,"metadata":{"resourceVersion":"1"}}"#,
    ])
    func `a list without items is one`(text: String) throws {
        var decoder = ListDecoder()

        #expect(try decoder.append(Array(text.utf8)).isEmpty)
        #expect(try decoder.finish().version == "1")
        #expect(try decoder.finish().continuation == nil)
    }

    @Test(arguments: 0..<list.count - 2)
    func `a list that is cut off is no list`(end: Int) throws {
        var decoder = ListDecoder()
        _ = try decoder.append(Array(Self.list[..<end]))

        #expect(throws: StreamError.self) { try decoder.finish() }
    }

    @Test(arguments: [
        "[]", "<html>", "null", #"{"items":[,]}"#, #"{"items":[1,]}"#, #"{"items":[1}"#, #"{"items" []}"#, #"{,}"#,
        #"{"a":1,}"#, #"{"a":}"#, #"{"a":]"#, #"{"items":[]}}"#, #"{"items":[] "b":1}"#,
    ])
    func `what is no list of objects is refused at once`(text: String) {
        var decoder = ListDecoder()

        #expect(throws: StreamError.self) { try decoder.append(Array(text.utf8)) }
    }

    @Test func `a list without a version is refused`() throws {
        var decoder = ListDecoder()
        _ = try decoder.append(Array(#"{"metadata":{},"items":[]}"#.utf8))

        #expect(throws: StreamError("metadata.resourceVersion of the list is missing")) { try decoder.finish() }
    }

    @Test func `an item over the limit is refused`() throws {
        var decoder = ListDecoder()
        _ = try decoder.append(Array(#"{"items":[""#.utf8))
        _ = try decoder.append([UInt8](repeating: UInt8(ascii: "a"), count: ListDecoder.largestItemBytes - 1))

        #expect(throws: StreamError("item 0 of the list has more than 2097152 bytes")) {
            try decoder.append([UInt8(ascii: "a")])
        }
    }

    @Test func `another member over the limit is refused`() throws {
        var decoder = ListDecoder()
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: ListDecoder.largestMemberBytes)

        #expect(throws: StreamError("a member of the list has more than 65536 bytes")) {
            try decoder.append(Array(#"{"a":""#.utf8) + text)
        }
    }

    @Test func `more items than the limit are refused`() throws {
        var decoder = ListDecoder()
        let items = [String](repeating: "0", count: ListDecoder.mostItems).joined(separator: ",")
        #expect(try decoder.append(Array("{\"items\":[\(items)".utf8)).count == ListDecoder.mostItems - 1)

        #expect(throws: StreamError("the list has more than 10000 items")) { try decoder.append(Array(",0".utf8)) }
    }

    @Test func `a list over the limit is refused`() throws {
        var decoder = ListDecoder(byteLimit: 100)
        _ = try decoder.append([UInt8](repeating: 0x20, count: 100))

        #expect(throws: StreamError("the list has more than 100 bytes")) { try decoder.append([0x20]) }
    }
}
