import Foundation
import LinuxKernel
import TestSupport
import Testing

/// Pods that start while the agent is restarted again and again.
@Suite(.requiresPrograms("nft"), .timeLimit(.minutes(3))) struct UpgradeTests {
    private static let pods = 200
    private static let restarts = 10

    @Test func `no pod of the mesh starts without rules while the agent is restarted ten times`() async throws {
        let files = try NodeFiles()
        defer { files.remove() }
        try files.linkPlugin()
        try files.writePrimary([files.entry(waitSeconds: 60)])
        let starts = try PodStarts(files, pods: Self.pods)
        let agent = try await startAgent(starts)

        async let restarted = restart(agent, starts)
        let begin = ContinuousClock.now
        let times = try await starts.run()
        let duration = ContinuousClock.now - begin
        let last = try await restarted

        var differences: [String] = []
        for sandbox in starts.sandboxes { differences += try await sandbox.differences() }
        #expect(times.count == Self.pods)
        #expect(differences.count == 0, "\(differences.first ?? "")")
        let longest = times.max() ?? .zero
        print(
            "\(Self.pods) pods in \(duration), \(Self.restarts) restarts of the agent:",
            "the longest start took \(longest)"
        )
        last.kill()
        _ = try await last.ending()
        try await starts.end()
        let addresses = try FileManager.default.contentsOfDirectory(atPath: "\(files.folder)/addresses/pods")
        #expect(addresses.filter { $0.hasPrefix("10.90.") } == [])
    }

    /// Ends the agent, politely and not in turn, and starts it again once pods wait for it.
    private func restart(_ first: RunningProgram, _ starts: PodStarts) async throws -> RunningProgram {
        var agent = first
        for number in 1...Self.restarts {
            try await starts.haveStarted(number * Self.pods / (Self.restarts + 1))
            agent.send(number.isMultiple(of: 2) ? SIGKILL : SIGTERM)
            _ = try await agent.ending()
            try await starts.areWaiting()
            agent = try await startAgent(starts)
        }
        return agent
    }

    private func startAgent(_ starts: PodStarts) async throws -> RunningProgram {
        try await starts.files.startAgent(environment: ["REDIRECT_BACKEND=nftables"], network: starts.hostNetwork)
    }
}
