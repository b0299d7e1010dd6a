import CNIProtocol
import Foundation
import HTTPTestSupport
import LinuxKernel
import TestSupport
import Testing

@testable import Operator

/// A cluster of an API server with Helm, kubectl and istio-cnictl around it.
///
/// The server speaks what Helm and kubectl need; a controller in it gives DaemonSets a pod on every node.
struct DeployCluster {
    let server: ScriptedServer
    private let kubeconfig: URL

    /// Runs a cluster until `body` returns.
    static func run(
        nodes: [String] = ["one", "two"],
        unready: Set<String> = [],
        left: [String: String] = [:],
        podless: Set<String> = [],
        serverVersion: String = "v1.32.4",
        _ body: (DeployCluster) async throws -> Void
    ) async throws {
        try await ScriptedServer.run { server in
            server.putDiscovery(serverVersion: serverVersion)
            for node in nodes { server.put(object("v1", "Node", node), at: "/api/v1/nodes/\(node)") }
            for name in ["default", "kube-system"] {
                server.put(object("v1", "Namespace", name), at: "/api/v1/namespaces/\(name)")
            }
            server.react { path, object, isDeleted in
                DaemonSetController(nodes: nodes, unready: unready, left: left, podless: podless)
                    .react(path, object, isDeleted)
            }
            let file = FileManager.default.temporaryDirectory.appending(path: "kubeconfig-\(UUID().uuidString)")
            try Data(Self.kubeconfig(port: server.port).utf8).write(to: file)
            try await body(DeployCluster(server: server, kubeconfig: file))
            try FileManager.default.removeItem(at: file)
        }
    }

    /// Whether `kubectl diff` works here: before 1.27 it reads the description of all kinds, and this server has none.
    static let canDiff: Bool = {
        guard let kubectl = try? Kubectl(ExternalProgram("kubectl")),
            let version = try? kubectl.json(["version", "--client"]),
            let minor = version.value(at: ["clientVersion", "minor"])?.string?.prefix(while: \.isNumber)
        else { return false }
        return Int(minor) ?? 0 >= 27
    }()

    /// How `istio-cnictl` ended.
    struct Ended {
        let status: Int?
        let output: String
        let error: String
    }

    /// Runs the real `istio-cnictl`, with the real Helm and kubectl in PATH.
    func command(_ arguments: [String], input: String = "") async throws -> Ended {
        try await Self.command(arguments, kubeconfig: kubeconfig.path(percentEncoded: false), input: input)
    }

    /// Runs the real Helm.
    func helm(_ arguments: [String]) async throws -> Ended {
        let file = kubeconfig.path(percentEncoded: false)
        return try await Self.run("\(TestDocument.helmFolder)/helm", arguments, kubeconfig: file, input: "")
    }

    /// Runs lines of a page in a shell, with the real kubectl in PATH.
    func shell(_ script: String) async throws -> Ended {
        let file = kubeconfig.path(percentEncoded: false)
        return try await Self.run("/bin/bash", ["-euc", script], kubeconfig: file, input: "")
    }

    /// `istio-cnictl` with any kubeconfig, such as one of no cluster.
    static func command(_ arguments: [String], kubeconfig: String, input: String = "") async throws -> Ended {
        let program = AgentProcess.program.replacing("install-cni", with: "istio-cnictl")
        return try await run(program, arguments, kubeconfig: kubeconfig, input: input)
    }

    private static func run(
        _ program: String,
        _ arguments: [String],
        kubeconfig: String,
        input: String
    ) async throws -> Ended {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let home = FileManager.default.temporaryDirectory.path(percentEncoded: false)
        let environment = [
            "PATH=\(TestDocument.helmFolder):\(path)", "KUBECONFIG=\(kubeconfig)",
            "HOME=\(home)",
        ]
        return try await onThread {
            let child = ChildProcess(
                program,
                arguments,
                environment: environment,
                standardInput: Array(input.utf8),
                deadlineMilliseconds: 120_000
            )
            let ended = try child.run()
            var status: Int?
            if case .exit(let number) = ended.ending { status = number }
            return Ended(
                status: status,
                output: String(decoding: ended.standardOutput, as: UTF8.self),
                error: String(decoding: ended.standardError, as: UTF8.self)
            )
        }
    }

    /// The requests that changed something, as `METHOD PATH`, tries and Helm's own notes left out.
    var changes: [String] {
        server.requests.filter { $0.method != "GET" && $0.query["dryRun"] == nil && !$0.path.contains("/secrets") }
            .map { "\($0.method) \($0.path)" }
    }

    static func object(_ version: String, _ kind: String, _ name: String) -> JSONValue {
        .object([
            JSONMember("apiVersion", .string(version)), JSONMember("kind", .string(kind)),
            JSONMember("metadata", .strings([("name", name)])),
        ])
    }

    private static func kubeconfig(port: Int) -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: test
        clusters: [{name: test, cluster: {server: "http://127.0.0.1:\(port)"}}]
        contexts: [{name: test, context: {cluster: test, user: test}}]
        users: [{name: test, user: {token: test}}]
        """
    }
}

/// What the DaemonSet controller and the kubelets do: one pod a node, ready or not.
struct DaemonSetController {
    let nodes: [String]
    let unready: Set<String>

    /// What a look at a node finds.
    let left: [String: String]

    /// DaemonSets whose pods a quota or an admission policy forbids.
    let podless: Set<String>

    func react(_ path: String, _ object: JSONValue, _ isDeleted: Bool) -> [(path: String, object: JSONValue?)] {
        guard object["kind"]?.string == "DaemonSet", path.contains("/daemonsets/") else { return [] }
        let isPodless = podless.contains(object.value(at: ["metadata", "name"])?.string ?? "")
        let pods = (isPodless ? [] : nodes).map { node in
            (path: podPath(path, node), object: isDeleted ? nil : pod(object, node))
        }
        return isDeleted ? pods : pods + [(path: path, object: object.setting(["status"], to: status))]
    }

    private var status: JSONValue {
        .object([
            JSONMember("observedGeneration", .integer(0)), JSONMember("desiredNumberScheduled", .integer(nodes.count)),
            JSONMember("updatedNumberScheduled", .integer(nodes.count)),
            JSONMember("numberReady", .integer(nodes.count - unready.count)),
        ])
    }

    private func podPath(_ path: String, _ node: String) -> String {
        let parts = path.split(separator: "/").map(String.init)
        return "/api/v1/namespaces/\(parts[4])/pods/\(parts[6])-\(node)"
    }

    private func pod(_ daemonSet: JSONValue, _ node: String) -> JSONValue {
        let template = daemonSet.value(at: ["spec", "template"]) ?? .null
        let name = "\(daemonSet.value(at: ["metadata", "name"])?.string ?? "")-\(node)"
        let isReady = !unready.contains(node)
        let ready = JSONValue.strings([("type", "Ready"), ("status", isReady ? "True" : "False")])
        let waiting = JSONValue.object([]).setting(
            ["state", "waiting"],
            to: .strings([("reason", "ImagePullBackOff"), ("message", "no such image")])
        )
        let message = left[node] ?? ""
        let ended = JSONValue.object([]).setting(
            ["state", "terminated"],
            to: .object([
                JSONMember("exitCode", .integer(message.isEmpty ? 0 : 1)), JSONMember("message", .string(message)),
            ])
        )
        let isLook = daemonSet.value(at: ["metadata", "name"]) == .string(NodeCheck.name)
        return JSONValue.object([
            JSONMember("apiVersion", .string("v1")), JSONMember("kind", .string("Pod")),
            JSONMember("metadata", template["metadata"] ?? .object([])),
            JSONMember("spec", (template["spec"] ?? .object([])).setting(["nodeName"], to: .string(node))),
        ])
        .setting(["metadata", "name"], to: .string(name))
        .setting(["metadata", "namespace"], to: daemonSet.value(at: ["metadata", "namespace"]) ?? .string("default"))
        .setting(["status", "conditions"], to: .array([ready]))
        .setting(["status", "containerStatuses"], to: .array(isReady ? (isLook ? [ended] : []) : [waiting]))
    }
}
