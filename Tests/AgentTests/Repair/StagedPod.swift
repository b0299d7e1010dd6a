import Agent
import Foundation
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// The agent's; that of `TestSupport` is what a runtime starts.
typealias NodePod = Agent.NodePod

/// A pod of the mesh that runs: a process in a network namespace with an address.
///
/// Ends with the value.
final class StagedPod: Sendable {
    let uid: String
    let address: String
    let namespace: NetworkNamespace
    let process: BackgroundProcess

    /// Starts it; `user` is whom its process belongs to, root or another.
    init(uid: String = StagedPod.newUID(), address: String? = nil, user: UInt32 = 0) async throws {
        self.uid = uid
        self.address = address ?? "10.77.\(Int.random(in: 0...255)).\(Int.random(in: 1...254))"
        namespace = try NetworkNamespace.makeNew()
        try RouteSocket(in: namespace).setLoopbackUp()
        let change = ["--reuid=\(user)", "--regid=\(user)", "--clear-groups", "/bin/sleep", "600"]
        var program =
            user == 0 ? BackgroundProgram("/bin/sleep", ["600"]) : BackgroundProgram("/usr/bin/setpriv", change)
        program.endsWithParent = false
        process = try program.start(network: namespace.rawDescriptor)
        _ = try await namespace.command("ip", "addr", "add", "\(self.address)/32", "dev", "lo")
    }

    deinit { process.end(milliseconds: 0) }

    static func newUID() -> String { UUID().uuidString.lowercased() }

    /// The pod as the agent knows it.
    func pod(
        name: String = "cart",
        annotations: [String: String] = [:],
        initContainers: [NodePod.ContainerStatus] = []
    ) -> NodePod {
        let status = ["sidecar.istio.io/status": "{}"].merging(annotations) { _, new in new }
        let proxy = Pod.Container(name: "istio-proxy", arguments: ["proxy", "sidecar"])
        return NodePod(
            Pod(namespace: "shop", name: name, uid: uid, annotations: status, containers: [proxy]),
            resourceVersion: "7",
            ownerUID: "owner-of-\(name)",
            addresses: [address],
            phase: .pending,
            initContainers: initContainers
        )
    }
}

/// A `/proc` that shows a few real processes, in whatever control groups.
struct ShownProcesses {
    let root: URL

    var finder: SandboxFinder {
        SandboxFinder(processDirectory: path("proc"), namespaceDirectory: path("netns"))
    }

    init() throws {
        root = URL(filePath: "/tmp/proc-\(UInt32.random(in: .min ... .max))")
        for name in ["proc", "netns"] {
            try FileManager.default.createDirectory(
                at: root.appending(path: name),
                withIntermediateDirectories: true
            )
        }
    }

    func remove() { try? FileManager.default.removeItem(at: root) }  // Under /tmp, which is cleared anyway.

    func path(_ name: String) -> String { root.appending(path: name).path(percentEncoded: false) }

    /// Shows a process as one of the pod with this UID.
    func show(_ process: Int32, of uid: String) throws {
        try show(
            process,
            controlGroups: "0::/../../kubepods-burstable-pod\(uid.replacing("-", with: "_")).slice/x.scope\n"
        )
    }

    func show(_ process: Int32, controlGroups: String) throws {
        let directory = root.appending(path: "proc/\(process)")
        let namespaces = directory.appending(path: "ns")
        try FileManager.default.createDirectory(at: namespaces, withIntermediateDirectories: true)
        try Data(controlGroups.utf8).write(to: directory.appending(path: "cgroup"))
        for name in ["stat", "ns/net"] {
            try FileManager.default.createSymbolicLink(
                atPath: directory.appending(path: name).path(percentEncoded: false),
                withDestinationPath: "/proc/\(process)/\(name)"
            )
        }
    }

    func show(_ pod: StagedPod) throws { try show(pod.process.identifier, of: pod.uid) }
}

extension SandboxFinding {
    /// The number of the process that was found, or a word for what was not.
    var summary: String {
        switch self {
        case .found(let sandbox): "found \(sandbox.process.map { "\($0)" } ?? "mount")"
        case .notFound: "not found"
        case .addressIsElsewhere(let process, let uid): "elsewhere \(process) \(uid)"
        case .addressDiffers(let process): "other address \(process)"
        case .shared(let process): "shared \(process)"
        case .unreadable(let error): "unreadable \(error)"
        }
    }
}
