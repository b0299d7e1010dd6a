import CNIProtocol
import Foundation
import HTTPTestSupport
import LinuxKernel
import RuntimeSupport
import Testing

/// Pods that start while the agent is restarted again and again.
@Suite(.requiresPrograms("nft"), .timeLimit(.minutes(10))) struct UpgradeTests {
    private static let restarts = 10

    @Test func `no pod of the mesh starts without rules while the agent is restarted ten times`() async throws {
        try await Self.restart(pods: 200) { _, _ in [] }
    }

    /// The agent asks for its own DaemonSet when it ends; where it may not, for its own pod (architecture, decision 11).
    @Test(arguments: [true, false])
    func `nor with pods from an API server, whether the agent may read its DaemonSet or not`(
        mayReadDaemonSet: Bool
    ) async throws {
        try await ScriptedServer.run { server in
            try Self.putAgent(on: server)
            if !mayReadDaemonSet {
                server.always(.status(403), for: "GET", containing: "/daemonsets/")
            }
            try await Self.restart(pods: 100) { node, pods in
                for sandbox in pods.sandboxes {
                    server.put(sandbox.pod.manifest.setting(["spec", "nodeName"], to: .string("node-7")))
                }
                try FileManager.default.createDirectory(
                    atPath: "\(node.path)/account",
                    withIntermediateDirectories: true
                )
                try node.write("token", to: "\(node.path)/account/token")
                return Self.serverSettings(server.port, node)
            }
            #expect(server.requests.contains { $0.path.contains("/daemonsets/") })
            let asksForPod = server.requests.contains { $0.path.hasSuffix("/pods/istio-cni-node-x") }
            #expect(asksForPod == !mayReadDaemonSet)
        }
    }

    /// Starts pods, half of them of the mesh, while the agent is ended and started again.
    ///
    /// - Parameters:
    ///   - count: How many pods.
    ///   - prepare: Makes the pods known; returns variables of the agent's beside the usual ones.
    /// - Throws: What kept pods or agents from starting.
    private static func restart(
        pods count: Int,
        _ prepare: (NodeFolder, PodStarts) throws -> [String]
    ) async throws {
        let node = try NodeFolder()
        defer { node.remove() }
        try node.makeImage()
        try node.writePrimary()
        let before = try node.installedFiles()
        let pods = try PodStarts(node, pods: count)
        let environment = try prepare(node, pods)
        // An agent that asks an API server of this machine has this machine's network.
        let network = environment.isEmpty ? pods.hostNetwork : nil
        let arguments = environment.isEmpty ? [] : ["--pod-source=api"]
        let startAgent = {
            try await node.startAgent(waitSeconds: 60, arguments, environment: environment, network: network)
        }
        let agent = try await startAgent()

        async let restarted = pods.restart(agent, times: restarts, startAgent)
        let begin = ContinuousClock.now
        let starts = try await pods.run(.atOnce(width), restarts: restarts)
        let duration = ContinuousClock.now - begin
        let last = try await restarted

        var differences: [String] = []
        for sandbox in pods.sandboxes { differences += try await sandbox.differences() }
        #expect(starts.count == count)
        #expect(differences.count == 0, "\(differences.first ?? "")")
        let longest = starts.filter(\.pod.isInMesh).map(\.duration).max() ?? .zero
        print(
            "\(count) pods in \(duration), \(restarts) restarts of the agent:",
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

    private static func serverSettings(_ port: Int, _ node: NodeFolder) -> [String] {
        [
            "KUBERNETES_SERVICE_HOST=127.0.0.1", "KUBERNETES_SERVICE_PORT=\(port)", "KUBERNETES_SERVICE_PROTOCOL=http",
            "SERVICE_ACCOUNT_DIR=\(node.path)/account", "POD_NAME=istio-cni-node-x",
            "HEALTH_PORT=\(Int.random(in: 20_000..<32_000))", "MONITORING_PORT=0",
        ]
    }

    /// The agent's own DaemonSet, pod and node.
    private static func putAgent(on server: ScriptedServer) throws {
        let spec = #"{"nodeName":"node-7","nodeSelector":{"os":"linux"}}"#
        let metadata = #""namespace":"istio-system""#
        let objects = [
            (
                "/apis/apps/v1/namespaces/istio-system/daemonsets/istio-cni-node",
                #"{"metadata":{"name":"istio-cni-node",\#(metadata)},"spec":{"template":{"spec":\#(spec)}}}"#
            ),
            (
                "/api/v1/namespaces/istio-system/pods/istio-cni-node-x",
                #"{"kind":"Pod","metadata":{"name":"istio-cni-node-x",\#(metadata),"uid":"a"},"spec":\#(spec)}"#
            ),
            ("/api/v1/nodes/node-7", #"{"metadata":{"name":"node-7","labels":{"os":"linux"}}}"#),
        ]
        for (path, text) in objects { server.put(try JSONValue(parsing: Array(text.utf8)), at: path) }
    }
}
