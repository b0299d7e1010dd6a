import CNIProtocol
import LinuxKernel
import Redirect
import TestSupport
import Testing

@testable import Agent

/// Who wrote a configuration last, as far as the agent knows it.
@Suite(.timeLimit(.minutes(2))) struct ConfigurationWritesTests {
    private static let name = "10-a.conflist"

    private static func author(
        _ writes: ConfigurationWrites?,
        _ node: NodeDirectory
    ) throws
        -> ConfigurationWrites.Author?
    {
        let status = try #require(try FileStatus.of(node.path("net.d/\(name)")))
        return writes?.author(of: name, in: node.settings.configurationDirectory, status)
    }

    @Test func `the agent knows its own write, and that of another program after it`() async throws {
        let node = try NodeDirectory(texts: [Self.name: Sample.list])
        defer { node.cleanUp() }
        var writes: ConfigurationWrites?

        try await node.run(isKept: true) { state in
            try await eventually("installed") { state.report.isReady }
            writes = state.report.writes
        }

        #expect(try Self.author(writes, node) == .agent)
        // The same bytes, and so nothing but the write itself tells them apart.
        let own = try #require(try FileStatus.of(node.path("net.d/\(Self.name)"))).modified
        try node.write(try node.bytes(Self.name), to: Self.name)
        #expect(try Self.author(writes, node) == .other(since: own))
    }

    @Test func `an agent that found all in place did not write it`() async throws {
        let node = try NodeDirectory(texts: [Self.name: Sample.list])
        defer { node.cleanUp() }
        try await node.install()
        var writes: ConfigurationWrites?

        try await node.run(isKept: true) { state in
            try await eventually("installed") { state.report.isReady }
            writes = state.report.writes
        }

        #expect(try Self.author(writes, node) == .notAgent)
    }

    @Test func `what stands in the status of an agent can be read back`() throws {
        let node = try NodeDirectory(texts: [Self.name: Sample.list])
        defer { node.cleanUp() }
        var writes = ConfigurationWrites(directory: node.settings.configurationDirectory)
        writes.note(Self.name, try #require(try FileStatus.of(node.path("net.d/\(Self.name)"))))
        let state = InstallState()
        state.change { report in report.writes = writes }
        let status = AgentStatus(
            backend: BackendChoice(.nftables, "of the test"),
            version: "1.2.3",
            readiness: Readiness([]),
            install: state
        )

        let value = try #require(status.value(pods: PodDirectory())["configuration"])

        #expect(try ConfigurationWrites(JSONValue(parsing: value.bytes())) == writes)
        #expect(try Self.author(writes, node) == .agent)
        writes.forget(Self.name)
        #expect(try Self.author(writes, node) == .notAgent)
    }

    @Test(arguments: ["null", "{}", #"{"directory":"/a"}"#, #"{"directory":"/a","writes":[{"file":"b","inode":1}]}"#])
    func `a status without it says nothing`(text: String) throws {
        #expect(ConfigurationWrites(try JSONValue(parsing: Array(text.utf8))) == nil)
    }
}
