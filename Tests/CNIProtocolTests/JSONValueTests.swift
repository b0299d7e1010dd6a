import CNIProtocol
import Testing

@Suite struct JSONValueTests {
    static let value = JSONValue.object([
        .init("name", .string("first")), .init("Name", .string("other")), .init("name", .string("last")),
        .init("count", .integer(3)), .init("ratio", .number("3.0")), .init("list", .array([.string("a")])),
        .init("\u{212A}", .null), .init("NODE", .string("n")), .init("Node", .string("m")),
    ])

    @Test func `of duplicate members the last counts`() {
        #expect(Self.value["name"]?.string == "last")
    }

    @Test func `names are compared byte by byte`() {
        #expect(Self.value["K"] == nil)
        #expect(Self.value["node"] == nil)
        #expect(Self.value["\u{212A}"]?.isNull == true)
    }

    @Test(arguments: [("name", 2), ("NAME", 2), ("Name", 1), ("node", 8), ("NODE", 7), ("K", nil)])
    func `a name in any case is found, the exact one first`(name: String, index: Int?) {
        #expect(Self.value.members?.index(ofAnyCase: name) == index)
    }

    @Test func `a number is whole only if it is written so`() {
        #expect(Self.value["count"]?.integer == 3)
        #expect(Self.value["ratio"]?.integer == nil)
        #expect(JSONValue.number("9223372036854775808").integer == nil)
    }

    @Test func `accessors give nothing for another type`() {
        #expect(Self.value["count"]?.string == nil)
        #expect(Self.value["name"]?.bool == nil)
        #expect(Self.value["list"]?.members == nil)
        #expect(Self.value["list"]?.strings == ["a"])
        #expect(JSONValue.array([.string("a"), .null]).strings == nil)
        #expect(JSONValue.object([.init("a", .integer(1))]).stringsByName == nil)
        #expect(JSONValue.null["a"] == nil)
    }

    @Test func `a value is written compactly`() {
        let value = JSONValue.object([
            .init("a\"\\", .array([.null, .bool(true), .number("1.0")])), .init("b", .string("\u{1}\u{1F}\n\r\té/")),
        ])

        #expect(value.text() == #"{"a\"\\":[null,true,1.0],"b":"\u0001\u001f\n\r\té/"}"#)
    }

    @Test func `a value is written with four spaces a level`() {
        let value = JSONValue.object([.init("a", .array([.integer(1), .object([])])), .init("b", .array([]))])

        #expect(value.text(.indented) == "{\n    \"a\": [\n        1,\n        {}\n    ],\n    \"b\": []\n}")
    }
}
