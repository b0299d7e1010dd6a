import CNIProtocol
import Conformance
import TestSupport
import Testing

@testable import Agent

/// Putting our entry into a text and taking it out again.
@Suite(.tags(.s35)) struct ConfigurationTextTests {
    static let entry = JSONValue.object([
        JSONMember("type", .string("istio-cni")), JSONMember("n", .integer(1)), JSONMember("l", .array([.null])),
    ])

    static func inserted(_ text: String) throws -> String {
        try String(decoding: ConfigurationText(Array(text.utf8)).settingEntry(entry), as: UTF8.self)
    }

    static func removed(_ text: String) throws -> String {
        try String(decoding: ConfigurationText(Array(text.utf8)).removingEntries(), as: UTF8.self)
    }

    /// A text, and what becomes of it.
    struct Layout: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let before: String
        let after: String
    }

    static let layouts = [
        Layout(
            testDescription: "two spaces",
            before: "{\n  \"plugins\": [\n    {\n      \"type\": \"a\"\n    }\n  ]\n}\n",
            after: "{\n  \"plugins\": [\n    {\n      \"type\": \"a\"\n    },\n    {\n      \"type\": \"istio-cni\",\n"
                + "      \"n\": 1,\n      \"l\": [\n        null\n      ]\n    }\n  ]\n}\n"
        ),
        Layout(
            testDescription: "tabs and CRLF",
            before: "{\r\n\t\"plugins\": [\r\n\t\t{\r\n\t\t\t\"type\": \"a\"\r\n\t\t}\r\n\t]\r\n}",
            after: "{\r\n\t\"plugins\": [\r\n\t\t{\r\n\t\t\t\"type\": \"a\"\r\n\t\t},\r\n\t\t{\r\n"
                + "\t\t\t\"type\": \"istio-cni\",\r\n\t\t\t\"n\": 1,\r\n\t\t\t\"l\": [\r\n\t\t\t\tnull\r\n"
                + "\t\t\t]\r\n\t\t}\r\n\t]\r\n}"
        ),
        Layout(
            testDescription: "no blanks at all",
            before: #"{"plugins":[{"type":"a"}],"x":1e400}"#,
            after: #"{"plugins":[{"type":"a"},{"type":"istio-cni","n":1,"l":[null]}],"x":1e400}"#
        ),
        Layout(
            testDescription: "one line, with spaces",
            before: #"{ "plugins": [ { "type": "a" }, { "type": "b" } ] }"#,
            after:
                #"{ "plugins": [ { "type": "a" }, { "type": "b" }, { "type": "istio-cni", "n": 1, "l": [ null ] } ] }"#
        ),
        Layout(
            testDescription: "one element a line",
            before: "{\"plugins\": [\n  {\"type\":\"a\"},\n  {\"type\":\"b\"}\n]}",
            after: "{\"plugins\": [\n  {\"type\":\"a\"},\n  {\"type\":\"b\"},\n"
                + "  {\"type\":\"istio-cni\",\"n\":1,\"l\":[null]}\n]}"
        ),
        Layout(
            testDescription: "brackets on one line",
            before: "{\"plugins\": [{\n  \"type\": \"a\"\n}]}",
            after: "{\"plugins\": [{\n  \"type\": \"a\"\n},{\n  \"type\": \"istio-cni\",\n  \"n\": 1,\n"
                + "  \"l\": [\n    null\n  ]\n}]}"
        ),
        Layout(
            testDescription: "commas on lines of their own",
            before: "{\"plugins\":[\n {\n  \"type\": \"a\"\n }\n ,\n {\n  \"type\": \"b\"\n }\n]}",
            after: "{\"plugins\":[\n {\n  \"type\": \"a\"\n }\n ,\n {\n  \"type\": \"b\"\n },\n {\n"
                + "  \"type\": \"istio-cni\",\n  \"n\": 1,\n  \"l\": [\n   null\n  ]\n }\n]}"
        ),
        Layout(
            testDescription: "brackets, commas and quotes in strings",
            before: #"{"plugins":[{"type":"]},{\"","x":"\\"}]}"#,
            after: #"{"plugins":[{"type":"]},{\"","x":"\\"},{"type":"istio-cni","n":1,"l":[null]}]}"#
        ),
        Layout(
            testDescription: "no element",
            before: #"{"plugins":[ ]}"#,
            after: #"{"plugins":[{"type":"istio-cni","n":1,"l":[null]} ]}"#
        ),
    ]

    @Test(arguments: layouts)
    func `the entry looks like the element before it, and leaves no trace`(layout: Layout) throws {
        let inserted = try Self.inserted(layout.before)
        let removed = try Self.removed(inserted)

        #expect(inserted == layout.after)
        #expect(removed == layout.before)
    }

    @Test(arguments: layouts)
    func `an entry that is right stays as it is, byte for byte`(layout: Layout) throws {
        #expect(try Self.inserted(layout.after) == layout.after)
    }

    @Test func `an entry with its members in another order is right`() throws {
        let text = #"{"plugins":[{"type":"a"},{"n":1,"l":[null],"type":"istio-cni"}]}"#

        #expect(try Self.inserted(text) == text)
    }

    @Test(arguments: [
        #"{"plugins":[{"type":"istio-cni","old":{}},{"type":"a"}]}"#,
        #"{"plugins":[{"type":"a"},{"type":"istio-cni"}]}"#,
        #"{"plugins":[{"type":"istio-cni"},{"type":"istio-cni"},{"type":"a"},{"type":"istio-cni"}]}"#,
        #"{"plugins":[{"type":"istio-cni"} , {"type":"a"}, {"type":"istio-cni"},{"type":"istio-cni"}]}"#,
        #"{"plugins":[{"Type":"istio-cni"},{"type":"a"}]}"#,
    ])
    func `of several entries, or one that is not last, one is left, the last`(text: String) throws {
        #expect(try Self.inserted(text) == #"{"plugins":[{"type":"a"},{"type":"istio-cni","n":1,"l":[null]}]}"#)
        #expect(try Self.removed(text) == #"{"plugins":[{"type":"a"}]}"#)
    }

    @Test func `an entry between others goes with the comma before it`() throws {
        let text = "[\n{\"type\":\"a\"},\n{\"type\":\"istio-cni\"},\n{\"type\":\"b\"}\n]"

        let removed = try Self.removed("{\"plugins\":\(text)}")

        #expect(removed == "{\"plugins\":[\n{\"type\":\"a\"},\n{\"type\":\"b\"}\n]}")
    }

    @Test func `of members that are there twice the last counts, as in Go`() throws {
        let text = #"{"plugins":[{"type":"istio-cni"}],"plugins":[{"type":"istio-cni","type":"a"}]}"#

        let inserted = try Self.inserted(text)

        let expected =
            #"{"plugins":[{"type":"istio-cni"}],"plugins":[{"type":"istio-cni","type":"a"},"#
            + #"{"type":"istio-cni","n":1,"l":[null]}]}"#
        #expect(inserted == expected)
        #expect(try Self.removed(inserted) == text)
    }

    @Test func `bytes that are not UTF-8 stay in a list, as Go reads them`() throws {
        let before = Array(#"{"plugins":[{"type":"a","x":""#.utf8) + [0xFF, 0xE9] + Array(#""}]}"#.utf8)

        let inserted = try ConfigurationText(before).settingEntry(Self.entry)
        let removed = try ConfigurationText(inserted).removingEntries()

        #expect(inserted.count > before.count)
        #expect(removed == before)
    }

    @Test(arguments: [
        (#"{"plugins":[]}"#, ConfigurationProblem.noName),
        (#"{"name":7,"plugins":[{"type":"a"}]}"#, .noName),
        (#"{"name":"n","cniVersion":1,"plugins":[{"type":"a"}]}"#, .badVersion("a number")),
        (#"{"name":"n","pugins":[{"type":"a"}]}"#, .noPlugins),
        (#"{"name":"n","plugins":[]}"#, .noPlugins),
        (#"{"name":"n","plugins":[{"type":"a"},{"type":""}]}"#, .noType(of: 1)),
        (#"{"name":"n","plugins":["a"]}"#, .noType(of: 0)),
    ])
    func `a list that no runtime loads says why`(text: String, problem: ConfigurationProblem) throws {
        #expect(try ConfigurationText(Array(text.utf8)).problemAsList == problem)
    }

    @Test(arguments: ["", "[]", "\"x\"", "{\"a\":1", "{} x", "\u{FEFF}{}"])
    func `what Go does not read is refused, a byte order mark too`(text: String) {
        #expect(throws: ConfigurationProblem.self) { try ConfigurationText(Array(text.utf8)) }
    }

    @Test func `a single plugin keeps its text, name and version in its list`() throws {
        let text = "\n{\n  \"cniVersion\": \"1.0.0\",\n  \"name\": \"d\\u0062net\", \"type\": \"bridge\"\n}\n"

        let list = try ConfigurationText(Array(text.utf8)).asList(entry: Self.entry)

        let expected =
            "{\n  \"cniVersion\": \"1.0.0\",\n  \"name\": \"d\\u0062net\",\n  \"plugins\": [\n    "
            + "{\n  \"cniVersion\": \"1.0.0\",\n  \"name\": \"d\\u0062net\", \"type\": \"bridge\"\n}"
            + ",\n    {\n      \"type\": \"istio-cni\",\n      \"n\": 1,\n      \"l\": [\n        null\n      ]\n    }"
            + "\n  ]\n}\n"
        #expect(String(decoding: list, as: UTF8.self) == expected)
    }

    @Test(arguments: [
        ("", "0.3.1"), (#""cniVersion":"0.2.0","#, "0.3.1"), (#""cniVersion":"0.3.0","#, "0.3.1"),
        (#""cniVersion":"0.3.1","#, "0.3.1"), (#""cniVersion":"0.4.0","#, "0.4.0"),
        (#""cniVersion":"1.1.0","#, "1.1.0"), (#""cniVersion":"9.9.9","#, "0.3.1"),
    ])
    func `a list has at least version 0.3.1`(member: String, version: String) throws {
        let text = Array(#"{\#(member)"type":"a"}"#.utf8)

        let list = try JSONValue(parsing: try ConfigurationText(text).asList(entry: Self.entry))

        #expect(list["cniVersion"] == .string(version))
        #expect(list["name"] == .string("k8s-pod-network"))
    }
}
