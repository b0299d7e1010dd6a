import CNIProtocol
import Foundation
import HTTPTestSupport
import LinuxKernel
import TestSupport
import Testing

/// A node with a primary CNI, and the whole agent as a process of its own with an API server that a test scripts.
final class ClusterNode: Sendable {
    let root = URL(filePath: "/tmp/node-\(UInt32.random(in: .min ... .max))")
    let healthPort: Int
    let monitoringPort: Int

    static let name = "node-1"
    static let namespace = "istio-system"
    static let podName = "istio-cni-node-x"

    static let primary = """
        {
          "cniVersion": "1.0.0", "name": "pods",
          "plugins": [ {"type": "bridge", "mtu": 1450}, {"type": "portmap", "capabilities": {"portMappings": true}} ]
        }

        """

    init() throws {
        for name in ["net.d", "bin", "image", "account"] {
            try FileManager.default.createDirectory(at: root.appending(path: name), withIntermediateDirectories: true)
        }
        try Data("the plugin".utf8).write(to: root.appending(path: "image/istio-cni"))
        try Data(Self.primary.utf8).write(to: root.appending(path: "net.d/10-primary.conflist"))
        healthPort = try Self.freePort()
        var port = healthPort
        while port == healthPort { port = try Self.freePort() }
        monitoringPort = port
        try setToken("token-1")
    }

    deinit {
        // Under /tmp, which is cleared anyway.
        try? FileManager.default.removeItem(at: root)
    }

    /// A port on which nobody listens now, and which the kernel gives to nobody by itself (`ip_local_port_range`).
    static func freePort() throws -> Int {
        for _ in 0..<100 {
            let port = UInt16.random(in: 20_000..<32_000)
            if isFree(port) { return Int(port) }
        }
        throw KernelError("find a free port", .addressNotAvailable)
    }

    private static func isFree(_ port: UInt16) -> Bool {
        let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        address.sin_port = port.bigEndian
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(socket, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    func setToken(_ token: String) throws {
        try Data(token.utf8).write(to: root.appending(path: "account/token"), options: .atomic)
    }

    func path(_ name: String) -> String { root.appending(path: name).path(percentEncoded: false) }

    func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    func names(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(directory)).sorted()
    }

    /// How often our entry is in the primary's list.
    func entries() throws -> Int {
        let list = try JSONValue(parsing: Array(try text("net.d/10-primary.conflist").utf8))
        return (list["plugins"]?.array ?? []).filter { plugin in plugin["type"]?.string == "istio-cni" }.count
    }

    func startAgent(
        serverPort: Int,
        environment: [String] = [],
        arguments: [String] = [],
        wrapper: [String] = []
    ) throws -> AgentProcess {
        try AgentProcess(
            runDirectory: path("run"),
            arguments: [
                "--mounted-cni-net-dir=\(path("net.d"))", "--mounted-cni-bin-dir=\(path("bin"))",
                "--cni-bin-source-dir=\(path("image"))", "--service-account-dir=\(path("account"))",
                "--health-port=\(healthPort)", "--monitoring-port=\(monitoringPort)", "--mounted-proc-dir=/proc",
            ] + arguments,
            environment: [
                "NODE_NAME=\(Self.name)", "POD_NAMESPACE=\(Self.namespace)", "POD_NAME=\(Self.podName)",
                "KUBERNETES_SERVICE_HOST=127.0.0.1", "KUBERNETES_SERVICE_PORT=\(serverPort)",
                "KUBERNETES_SERVICE_PROTOCOL=http",
            ] + environment,
            wrapper: wrapper
        )
    }

    /// What `/readyz` says: the status, and the reasons as text.
    func readiness() async throws -> (status: Int, body: String) {
        let lines = try await answer("readyz", port: healthPort).split(separator: "\n")
        return (lines.last.flatMap { line in Int(line) } ?? 0, lines.first.map { line in String(line) } ?? "")
    }

    /// A metric without labels, as `/metrics` has it now; nil where it is not there.
    func metric(_ name: String) async throws -> Double? {
        let lines = try await answer("metrics", port: monitoringPort).split(separator: "\n")
        let line = lines.first { line in line.hasPrefix("\(name) ") }
        return line.flatMap { line in Double(line.dropFirst(name.count + 1)) }
    }

    /// The body of an answer, and the status as one more line.
    private func answer(_ path: String, port: Int) async throws -> String {
        let command = ChildProcess(
            "/usr/bin/curl",
            ["--silent", "--show-error", "--write-out", "\n%{http_code}", "http://127.0.0.1:\(port)/\(path)"],
            environment: ["PATH=/usr/bin:/bin"],
            deadlineMilliseconds: 10_000
        )
        let outcome = try await onThread { try command.run() }
        return String(decoding: outcome.standardOutput, as: UTF8.self)
    }

    func waitUntilReady(_ agent: AgentProcess, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await eventually("the agent is ready", agent, sourceLocation: sourceLocation) {
            try await readiness().status == 200
        }
    }

    /// Waits for what the agent does in its own time; where it does not, its log says why.
    func eventually(
        _ fact: String,
        _ agent: AgentProcess,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ isTrue: () async throws -> Bool
    ) async throws {
        try await TestSupport.eventually(fact, story: { agent.story }, sourceLocation: sourceLocation, isTrue)
    }
}

extension ScriptedServer {
    static let daemonSetPath = "/apis/apps/v1/namespaces/\(ClusterNode.namespace)/daemonsets/istio-cni-node"
    static let ownPodPath = "/api/v1/namespaces/\(ClusterNode.namespace)/pods/\(ClusterNode.podName)"
    static let nodePath = "/api/v1/nodes/\(ClusterNode.name)"

    /// The agent's own DaemonSet, pod and node, as they are while it is to run here.
    func putAgent(isDeleted: Bool = false, nodeLabels: String = #"{"os":"linux"}"#) throws {
        let deletion = isDeleted ? #","deletionTimestamp":"2026-11-26T00:00:00Z""# : ""
        let spec = #"{"nodeName":"node-1","nodeSelector":{"os":"linux"}}"#
        let metadata = #""namespace":"istio-system""#
        put(
            try Self.object(
                #"{"metadata":{"name":"istio-cni-node",\#(metadata)\#(deletion)},"spec":{"template":{"spec":\#(spec)}}}"#
            ),
            at: Self.daemonSetPath
        )
        put(
            try Self.object(
                #"{"kind":"Pod","metadata":{"name":"istio-cni-node-x",\#(metadata),"uid":"a"},"spec":\#(spec)}"#
            ),
            at: Self.ownPodPath
        )
        put(try Self.object(#"{"metadata":{"name":"node-1","labels":\#(nodeLabels)}}"#), at: Self.nodePath)
    }

    private static func object(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }
}
