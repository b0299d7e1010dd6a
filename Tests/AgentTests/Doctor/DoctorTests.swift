import CNIProtocol
import Foundation
import LinuxKernel
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

    @Test func `who wrote the loaded file last is told as far as the agent knows it`() throws {
        let node = try ChainDirectory(#"{"name":"n","plugins":[{"type":"ptp"},{"type":"istio-cni"}]}"#)
        defer { node.cleanUp() }
        let status = try #require(try FileStatus.of("\(node.path)/10-a.conflist"))
        var writes = ConfigurationWrites(directory: node.path)
        func seen(_ writes: ConfigurationWrites?) -> String {
            ConfigurationFacts(node.places, writes).findings.first?.text ?? ""
        }
        let written = "last written \(Clock.timestamp(status.modified / 1_000))"

        #expect(seen(nil).hasSuffix("(ptp, istio-cni, \(written))"))
        #expect(seen(ConfigurationWrites(directory: "/elsewhere")).hasSuffix("\(written))"))
        #expect(seen(writes).hasSuffix("\(written), and not by the agent since it started)"))
        writes.note("10-a.conflist", status)
        #expect(seen(writes).hasSuffix("\(written) by the agent)"))
        let other = try File.replace("\(node.path)/other", with: [1], mode: 0o600)
        writes.note("10-a.conflist", other)
        let since = Clock.timestamp(other.modified / 1_000)
        #expect(seen(writes).hasSuffix("\(written) by another program, after the agent's own at \(since))"))
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

/// A directory of configurations with one file.
private struct ChainDirectory {
    let path: String

    init(_ text: String) throws {
        path = "/tmp/chain-\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try File.replace("\(path)/10-a.conflist", with: Array(text.utf8), mode: 0o644)
    }

    var places: DoctorPlaces {
        var install = InstallSettings()
        install.configurationDirectory = path
        return DoctorPlaces(install)
    }

    func cleanUp() {
        // Under /tmp, which is cleared anyway.
        try? FileManager.default.removeItem(atPath: path)
    }
}
