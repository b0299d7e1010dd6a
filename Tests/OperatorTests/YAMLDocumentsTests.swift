import CNIProtocol
import Operator
import Testing

@Suite struct YAMLDocumentsTests {
    @Test(arguments: [
        "true", "15020", "", "null", "on", "1e3", "0x1F", "a: b", "# no", "line\nline\n", "2024-01-01", "ü",
    ])
    func `a text is read back as the text that was written`(text: String) throws {
        let value = JSONValue.object([JSONMember("key", .string(text)), JSONMember(text, .array([.string(text)]))])

        #expect(try YAMLDocuments.read(YAMLDocuments.text([value])) == [value])
    }

    @Test func `numbers, booleans, null and what is empty keep their kinds`() throws {
        let value = JSONValue.array([
            .integer(-3), .number("1.5"), .bool(false), .null, .array([]), .object([]), .string("3"),
        ])

        #expect(
            try YAMLDocuments.read(YAMLDocuments.text([.object([JSONMember("all", value)])])).first?["all"] == value
        )
    }

    @Test func `several documents stand apart, and keep the order of their members`() throws {
        let documents = try YAMLDocuments.read("b: 1\na: 2\n---\nkind: Pod\n")

        #expect(
            documents.map { document in document.members?.map { member in member.name } } == [["b", "a"], ["kind"]]
        )
        #expect(try YAMLDocuments.text(documents) == "---\nb: 1\na: 2\n---\nkind: Pod\n")
    }
}
