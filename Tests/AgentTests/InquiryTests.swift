import CNIProtocol
import TestSupport
import Testing

@testable import Agent

/// What `install-cni status` and `bypass` say.
@Suite(.timeLimit(.minutes(2))) struct InquiryTests {
    private static func pod(_ name: String, _ state: String, _ reason: String, age: Int) -> String {
        #"{"namespace":"shop","name":"\#(name)","state":"\#(state)","reason":"\#(reason)","by":"","ageSeconds":\#(age)}"#
    }

    private static func report(_ pods: String..., ready: Bool = true, reasons: String = "[]") throws -> NodeReport {
        let status =
            #"{"ready":\#(ready),"reasons":\#(reasons),"version":"1.2.3","backend":"nftables","role":"writes"}"#
        return NodeReport(
            status: try JSONValue(parsing: Array(status.utf8)),
            pods: try JSONValue(parsing: Array(#"{"pods":[\#(pods.joined(separator: ","))]}"#.utf8))
        )
    }

    @Test func `a pod that bypasses the mesh is listed with its reason, its age and what to do`() throws {
        let report = try Self.report(
            Self.pod("cart", "bypassing", "no redirection is in force", age: 240),
            Self.pod("web", "redirected", "the plugin reported it", age: 9)
        )

        let text = NodeReportText(report, hasColour: false).bypass

        #expect(report.bypassing.count == 1)
        #expect(
            text.hasPrefix(
                """
                POD        STATE      SINCE  RULES BY  WHY
                shop/cart  bypassing  4m     -         no redirection is in force

                bypassing: this pod's traffic does not go through its sidecar.
                """
            )
        )
        #expect(!text.contains("shop/web") && !text.contains("\u{1B}"))
    }

    @Test func `where none bypasses that is said, and what nobody has looked at is not hidden`() throws {
        let report = try Self.report(Self.pod("job", "unknown", "no ADD has asked about it", age: 1))

        let text = NodeReportText(report, hasColour: true).bypass

        #expect(report.bypassing.isEmpty)
        #expect(text.contains("\u{1B}[32mno pod of this node is known to bypass the mesh\u{1B}[0m"))
        #expect(text.contains("NOT KNOWN") && text.contains("shop/job"))
    }

    @Test func `the status tells why the agent is not ready`() throws {
        let report = try Self.report(ready: false, reasons: #"["the API server is away"]"#)

        let text = NodeReportText(report, hasColour: false).status(showsAll: false)

        #expect(!report.isReady)
        #expect(text.hasPrefix("agent        1.2.3, not ready\n             the API server is away\n"))
        #expect(text.contains("0 redirected, 0 skipped, 0 bypassing, 0 partial, 0 unknown"))
    }

    @Test func `text of a pod cannot speak to the terminal`() throws {
        let report = try Self.report(Self.pod("cart", "partial", #"\u001b[2J\n"#, age: 1))

        #expect(NodeReportText(report, hasColour: false).bypass.contains("\\u{1b}[2J\\u{a}"))
    }

    @Test func `a state that this version does not know is unknown`() throws {
        let report = try Self.report(Self.pod("cart", "new", "", age: 1))

        #expect(report.unknown.count == 1)
    }

    @Test(arguments: [(5, "5s"), (119, "119s"), (120, "2m"), (7_200, "2h"), (172_800, "2d"), (-3, "0s")])
    func `an age is told in its largest unit`(seconds: Int, text: String) {
        #expect(NodeReportText.age(seconds) == text)
    }

    @Test func `a running agent is asked over its socket`() async throws {
        let agent = try RunningAgent(pods: ["cart.json": Sample.pod()])

        try await agent.run { () async throws in
            let client = AgentClient(runDirectory: agent.runDirectory)
            let (report, isAnswering) = try await onThread { (try NodeReport(asking: client), client.isAnswering) }

            #expect(report.isReady && isAnswering)
            #expect(report.pods.map { pod in pod.name } == ["shop/cart"])
            #expect(report.value["agent"]?["version"]?.string == "1.2.3")
        }
    }

    @Test func `where no agent answers the message says what to look at`() async throws {
        let client = AgentClient(runDirectory: "/tmp/no-such-agent")

        let failure = await #expect(throws: AgentClient.Failure.self) {
            try await onThread { try client.get("/v1/status") }
        }

        #expect(failure?.description.contains("/tmp/no-such-agent/pluginevent.sock") == true)
        #expect(failure?.description.contains("kubectl get pods") == true)
    }
}
