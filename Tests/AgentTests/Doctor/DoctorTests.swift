import CNIProtocol
import Foundation
import Testing

@testable import Agent

/// The report of `install-cni doctor`.
@Suite struct DoctorTests {
    private static let report = DoctorReport(DoctorFacts())

    @Test func `a report can be read back from its JSON`() throws {
        let text = Self.report.value.text()

        #expect(try DoctorReport(JSONValue(parsing: Array(text.utf8))) == Self.report)
    }

    @Test(arguments: [
        "{}", #"{"findings":{}}"#, #"{"findings":[{"id":"x"}]}"#,
        #"{"findings":[{"id":"x","verdict":"awful","subject":"","text":"","remedy":""}]}"#,
    ])
    func `JSON that is no report is refused`(text: String) throws {
        let value = try JSONValue(parsing: Array(text.utf8))

        #expect(throws: DoctorReport.DecodingFailure.self) { try DoctorReport(value) }
    }

    @Test func `an id of a newer agent is kept`() throws {
        let text = #"{"findings":[{"id":"new","verdict":"bad","subject":"s","text":"t","remedy":"r"}]}"#
        let report = try DoctorReport(JSONValue(parsing: Array(text.utf8)))

        #expect(!report.isGood)
        #expect(report.text(hasColour: false) == "bad   new  t\n      do: r\n")
    }

    @Test func `what is bad stands first`() throws {
        let lines = Self.report.text(hasColour: false).split(separator: "\n")

        #expect(try #require(lines.first).hasPrefix("bad"))
        #expect(try #require(lines.last).hasPrefix("ok"))
    }

    @Test func `capabilities are read from the kernel's text`() {
        #expect(RightFacts.field("CapEff", of: "Name:\tx\nCapEff:\t00000000a80425fb\n") == "00000000a80425fb")
        #expect(RightFacts.field("CapEff", of: "") == nil)
    }

    @Test func `a handler is known by its type, whatever its name is`() {
        var configuration = RuntimeConfiguration()
        configuration.note(handler: "safe", words: ["io.containerd.runsc.v1"])
        configuration.note(handler: "untrusted", words: ["io.containerd.runc.v2", nil])

        #expect(configuration.sandboxes == ["safe"])
    }

    @Test func `this node can be looked at`() {
        let report = DoctorReport(environment: ["CNI_AGENT_RUN_DIR": "relative"])

        #expect(report.findings.first?.id == "settings-wrong")
        #expect(report.text(hasColour: false).contains("CNI_AGENT_RUN_DIR"))
    }

    @Test func `what is typed wins over the environment`() {
        let report = DoctorReport(
            arguments: [.podSource: "directory:/srv/pods", .agentRunDirectory: "/nobody/is/here"],
            environment: ["CNI_AGENT_RUN_DIR": "relative"]
        )

        #expect(report.findings.first?.id == "settings-followed")
        #expect(report.text(hasColour: false).contains("/nobody/is/here/pluginevent.sock"))
    }
}
