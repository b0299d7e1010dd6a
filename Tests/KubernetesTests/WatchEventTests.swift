import CNIProtocol
import Kubernetes
import Testing

@Suite struct WatchEventTests {
    static func event(_ text: String) throws -> WatchEvent { try WatchEvent(line: Array(text.utf8)) }

    @Test func `each type is what it says`() throws {
        let object = #"{"metadata":{"resourceVersion":"7"}}"#
        let value = try JSONValue(parsing: Array(object.utf8))

        #expect(try Self.event(#"{"type":"ADDED","object":\#(object)}"#) == .changed(value, "7"))
        #expect(try Self.event(#"{"type":"MODIFIED","object":\#(object)}"#) == .changed(value, "7"))
        #expect(try Self.event(#"{"type":"DELETED","object":\#(object)}"#) == .deleted(value, "7"))
        #expect(try Self.event(#"{"type":"BOOKMARK","object":\#(object)}"#) == .bookmark("7"))
        #expect(try Self.event(#"{"type":"SYNCED","object":\#(object)}"#) == .unknown("SYNCED"))
    }

    @Test func `an error is a status`() throws {
        let line = #"{"type":"ERROR","object":{"kind":"Status","reason":"Expired","message":"too old","code":410}}"#

        let event = try Self.event(line)

        #expect(event == .error(APIStatus(code: 410, reason: "Expired", message: "too old")))
    }

    @Test(arguments: [
        ("<html>", "a line of the watch is no JSON: at byte 0: expected a value"),
        ("{}", "a line of the watch has no type or no object"),
        (#"{"type":"ADDED"}"#, "a line of the watch has no type or no object"),
        (#"{"type":"ADDED","object":{}}"#, "metadata.resourceVersion of a watched object is missing"),
        (
            #"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":""}}}"#,
            "metadata.resourceVersion of a watched object is missing"
        ),
    ])
    func `what is no event is refused`(line: String, reason: String) {
        #expect(throws: StreamError(reason)) { try Self.event(line) }
    }
}
