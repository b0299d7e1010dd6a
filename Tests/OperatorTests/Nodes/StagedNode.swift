import CNIProtocol
import Foundation
import HTTPTestSupport
import LinuxKernel
import Operator
import Redirect
import TestSupport
import Testing

/// One of several nodes on this machine.
///
/// A real agent with a run directory of its own, and pods that are real processes in real network namespaces. The agent
/// looks into them, and puts nothing right.
final class StagedNode: Sendable {
    let name: String
    let agent: AgentProcess
    let folder: URL
    private let pods: [StagedPod]

    enum Condition: Sendable {
        case redirected
        case broken

        /// No sidecar.
        case outside

        /// In a sandbox that nobody can look into.
        case isolated
    }

    /// - Parameters:
    ///   - name: Of the node.
    ///   - conditions: Its pods.
    ///   - server: The API server that knows the pods.
    /// - Throws: What the kernel refused.
    init(
        _ name: String,
        pods conditions: [(name: String, condition: Condition)],
        server: ScriptedServer
    ) async throws {
        self.name = name
        folder = URL(filePath: "/tmp/staged-\(name)-\(UInt32.random(in: .min ... .max))")
        for part in ["account", "proc", "run"] {
            try FileManager.default.createDirectory(at: folder.appending(path: part), withIntermediateDirectories: true)
        }
        var staged: [StagedPod] = []
        for (name, condition) in conditions {
            let pod = try await StagedPod(name, condition)
            try pod.show(in: folder)
            server.put(try pod.object(node: self.name))
            staged.append(pod)
        }
        pods = staged
        try Data("token".utf8).write(to: folder.appending(path: "account/token"))
        let path = folder.path(percentEncoded: false)
        agent = try AgentProcess(
            runDirectory: "\(path)/run",
            arguments: [
                "--mounted-proc-dir=\(path)/proc", "--service-account-dir=\(path)/account", "--skip-install",
                "--health-port=\(Int.random(in: 20_000..<32_000))", "--monitoring-port=0",
            ],
            environment: [
                "NODE_NAME=\(name)", "POD_NAMESPACE=istio-system", "POD_NAME=agent-\(name)",
                "KUBERNETES_SERVICE_HOST=127.0.0.1", "KUBERNETES_SERVICE_PORT=\(server.port)",
                "KUBERNETES_SERVICE_PROTOCOL=http", "REDIRECT_BACKEND=nftables", "REPAIR_ENABLED=true",
                // Looks, and acts on nothing that has not failed.
                "REPAIR_REPAIR_PODS=false", "REPAIR_LABEL_PODS=true",
            ]
        )
    }

    deinit {
        // Under /tmp, which is cleared anyway.
        try? FileManager.default.removeItem(at: folder)
    }

    var runDirectory: String { folder.appending(path: "run").path(percentEncoded: false) }
}

/// A process in a network namespace, which the agent is shown as a pod's.
private final class StagedPod: Sendable {
    private let name: String
    private let condition: StagedNode.Condition
    private let uid = UUID().uuidString.lowercased()
    private let address = "10.88.\(Int.random(in: 0...255)).\(Int.random(in: 1...254))"
    private let namespace: NetworkNamespace
    private let process: BackgroundProcess

    init(_ name: String, _ condition: StagedNode.Condition) async throws {
        self.name = name
        self.condition = condition
        namespace = try NetworkNamespace.makeNew()
        _ = try await namespace.command("ip", "link", "set", "lo", "up")
        _ = try await namespace.command("ip", "addr", "add", "\(address)/32", "dev", "lo")
        var program = BackgroundProgram("/bin/sleep", ["600"])
        program.endsWithParent = false
        process = try program.start(network: namespace.rawDescriptor)
        if condition == .redirected {
            let plan = RedirectPlan(
                inboundPorts: .all(except: [15_020, 15_021, 15_090]),
                excludedOutboundPorts: [15_020]
            )
            _ = try await namespace.command("nft", "-f", "-", input: RuleSet(plan).nftablesText)
        }
    }

    deinit { process.end(milliseconds: 0) }

    /// The pod as the API server has it.
    func object(node: String) throws -> JSONValue {
        let annotations = condition == .outside ? "{}" : #"{"sidecar.istio.io/status":"{}"}"#
        let containers =
            condition == .outside ? #"[{"name":"app"}]"# : #"[{"name":"istio-proxy","args":["proxy","sidecar"]}]"#
        let runtime = condition == .isolated ? #""runtimeClassName":"kata-qemu","# : ""
        let manifest = """
            {"kind":"Pod","apiVersion":"v1",\
            "metadata":{"namespace":"shop","name":"\(name)","uid":"\(uid)","annotations":\(annotations)},\
            "spec":{"nodeName":"\(node)",\(runtime)"containers":\(containers)},\
            "status":{"phase":"Running","podIPs":[{"ip":"\(address)"}]}}
            """
        return try JSONValue(parsing: Array(manifest.utf8))
    }

    func show(in folder: URL) throws {
        let directory = folder.appending(path: "proc/\(process.identifier)")
        try FileManager.default.createDirectory(at: directory.appending(path: "ns"), withIntermediateDirectories: true)
        let group = "0::/../../kubepods-besteffort-pod\(uid.replacing("-", with: "_")).slice/x.scope\n"
        try Data(group.utf8).write(to: directory.appending(path: "cgroup"))
        for file in ["stat", "ns/net"] {
            try FileManager.default.createSymbolicLink(
                atPath: directory.appending(path: file).path(percentEncoded: false),
                withDestinationPath: "/proc/\(process.identifier)/\(file)"
            )
        }
    }
}
