import CNIProtocol
import Operator
import Testing

/// What `bypass` says when some nodes answer and others do not.
@Suite struct BypassTableTests {
    private static func report(_ states: [String]) throws -> NodeAnswers.Answer {
        let pods = states.enumerated().map { index, state in
            #"{"namespace":"shop","name":"pod-\#(index)","state":"\#(state)","reason":"seen","ageSeconds":1}"#
        }
        return .report(
            try JSONValue(parsing: Array(#"{"agent":{"ready":true},"pods":[\#(pods.joined(separator: ","))]}"#.utf8))
        )
    }

    private static func table(_ answers: [NodeAnswers.Answer], hasColour: Bool = false) -> BypassTable {
        let nodes = answers.enumerated().map { index, answer in
            NodeAnswers.Node(name: "node-\(index)", agent: "istio-system/agent-\(index)", answer: answer)
        }
        return BypassTable(NodeAnswers(nodes), listsPartial: false, hasColour: hasColour)
    }

    private static let green = "\u{1B}[32m"

    @Test func `where every node answers and no pod bypasses, that is said in green`() throws {
        let table = Self.table([try Self.report(["redirected"])], hasColour: true)

        #expect(table.text.hasPrefix("\(Self.green)no pod is known to bypass the mesh\u{1B}"))
        #expect(table.exitStatus == 0)
    }

    @Test func `where no node answers, nothing is said of pods, and nothing is green`() {
        let table = Self.table([.none("gone"), .none("gone")], hasColour: true)

        #expect(table.text.contains("no node could be asked"))
        #expect(!table.text.contains("no pod is known"))
        #expect(!table.text.contains(Self.green))
        #expect(table.exitStatus == 2)
    }

    @Test func `a cluster without nodes is no good news`() {
        let table = Self.table([])

        #expect(table.text == "no node could be asked\n")
        #expect(table.exitStatus == 2)
    }

    @Test func `where some nodes answer, how many did not is said beside it`() throws {
        let table = Self.table([try Self.report(["redirected"]), .none("gone"), .none("gone")], hasColour: true)

        #expect(table.text.contains("no pod is known to bypass the mesh, but 2 of 3 nodes could not be asked"))
        #expect(!table.text.contains(Self.green))
        #expect(table.exitStatus == 2)
    }

    @Test func `a pod that bypasses is listed, and how many nodes did not answer too`() throws {
        let table = Self.table([try Self.report(["bypassing"]), .none("gone")])

        #expect(table.text.contains("shop/pod-0"))
        #expect(table.text.contains("\n1 of 2 nodes could not be asked\nnot asked: node-1: gone\n"))
        #expect(table.exitStatus == 1)
    }
}
