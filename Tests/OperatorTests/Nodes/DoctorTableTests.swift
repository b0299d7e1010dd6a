import CNIProtocol
import Operator
import Testing

/// What `doctor` of several nodes becomes when it is told together.
@Suite struct DoctorTableTests {
    private static func report(_ findings: [(id: String, verdict: String)]) throws -> NodeAnswers.Answer {
        let list = findings.map { id, verdict in
            #"{"id":"\#(id)","verdict":"\#(verdict)","subject":"kernel","text":"seen","remedy":"do it"}"#
        }
        return .report(try JSONValue(parsing: Array(#"{"findings":[\#(list.joined(separator: ","))]}"#.utf8)))
    }

    private static func table(_ answers: [NodeAnswers.Answer], hasColour: Bool = false) -> DoctorTable {
        let nodes = answers.enumerated().map { index, answer in
            NodeAnswers.Node(name: "node-\(index)", agent: "istio-system/agent-\(index)", answer: answer)
        }
        return DoctorTable(NodeAnswers(nodes), hasColour: hasColour)
    }

    @Test func `a finding of several nodes is told once, with their names`() throws {
        let table = Self.table([
            try Self.report([("plugin-current", "ok"), ("rules-missing", "bad")]),
            try Self.report([("plugin-current", "ok")]),
        ])

        let lines = table.text.split(separator: "\n").map { line in line.split(separator: " ").joined(separator: " ") }
        #expect(
            lines == [
                "WHAT NODES SEEN", "ok plugin-current all 2 seen", "bad rules-missing node-0 seen; do it",
            ]
        )
        #expect(table.exitStatus == 1)
    }

    @Test func `what is good is green and what is bad is red`() throws {
        let text = Self.table([try Self.report([("one", "ok"), ("two", "bad")])], hasColour: true).text

        #expect(text.split(separator: "\n").first { line in line.contains("one") }?.contains("\u{1B}[32m") == true)
        #expect(text.split(separator: "\n").first { line in line.contains("two") }?.contains("\u{1B}[31m") == true)
    }

    @Test func `a node that does not answer, or not as doctor does, is named with the reason`() throws {
        let table = Self.table([
            try Self.report([("one", "ok")]), .none("the pod is gone"),
            .report(try JSONValue(parsing: Array(#"{"findings":[{"id":"one"}]}"#.utf8))),
        ])

        #expect(table.text.contains("not asked: node-1: the pod is gone"))
        #expect(table.text.contains("not asked: node-2: findings[0] of a report of doctor lacks"))
        #expect(table.exitStatus == 2)
        let errors = table.value["nodes"]?.array?.compactMap { node in node["error"]?.string } ?? []
        #expect(errors.count == 2)
    }
}
