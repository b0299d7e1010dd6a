import Foundation
import LinuxKernel
import RuntimeSupport
import Testing

/// Pods that start while the agent is restarted again and again.
@Suite(.requiresPrograms("nft"), .timeLimit(.minutes(10))) struct UpgradeTests {
    private static let pods = 200
    private static let restarts = 10

    @Test func `no pod of the mesh starts without rules while the agent is restarted ten times`() async throws {
        let node = try NodeFolder()
        defer { node.remove() }
        try node.makeImage()
        try node.writePrimary()
        let before = try node.installedFiles()
        let pods = try PodStarts(node, pods: Self.pods)
        let startAgent = { try await node.startAgent(waitSeconds: 60, network: pods.hostNetwork) }
        let agent = try await startAgent()

        async let restarted = pods.restart(agent, times: Self.restarts, startAgent)
        let begin = ContinuousClock.now
        let starts = try await pods.run(.atOnce(Self.width), restarts: Self.restarts)
        let duration = ContinuousClock.now - begin
        let last = try await restarted

        var differences: [String] = []
        for sandbox in pods.sandboxes { differences += try await sandbox.differences() }
        #expect(starts.count == Self.pods)
        #expect(differences.count == 0, "\(differences.first ?? "")")
        let longest = starts.filter(\.pod.isInMesh).map(\.duration).max() ?? .zero
        print(
            "\(Self.pods) pods in \(duration), \(Self.restarts) restarts of the agent:",
            "the longest start of a pod of the mesh took \(longest)"
        )
        try await last.end()
        try await pods.end()
        try await node.uninstall()
        #expect(try node.installedFiles() == before)
        #expect(try node.takenAddresses() == [])
    }

    /// As many pods as a kubelet of a busy node has under way.
    private static let width = 8
}
