import CNIProtocol
import Foundation
import LinuxKernel
import RuntimeSupport
import Testing

/// A containerd of its own, called as the kubelet calls it: through the Container Runtime Interface.
struct Containerd: Sendable {
    let node: RuntimeNode

    var folder: NodeFolder { node.folder }

    /// Starts containerd on a node with this folder, and ends both after `body`.
    static func whileRunning(_ folder: NodeFolder, _ body: (Containerd) async throws -> Void) async throws {
        let configuration = "\(folder.path)/containerd.toml"
        try folder.write(configurationText(folder), to: configuration)
        try await RuntimeNode.whileRunning(folder, ["containerd", "--config", configuration]) { node in
            let containerd = Containerd(node: node)
            _ = try await containerd.call("ready")
            try await containerd.importImage()
            try await body(containerd)
        }
    }

    /// Runs the sandbox of a pod.
    ///
    /// - Returns: The sandbox's id.
    /// - Throws: ``CommandFailure`` with what the kubelet would show.
    func run(_ pod: RuntimePod) async throws -> String {
        let answer = try await call(
            "run",
            JSONMember("namespace", .string(pod.namespace)),
            JSONMember("name", .string(pod.name)),
            JSONMember("uid", .string(pod.uid)),
            JSONMember("annotations", .object(pod.annotations.map { JSONMember($0.key, .string($0.value)) })),
            JSONMember("labels", .object([])),
            // As the kubelet with the cgroupfs driver: repair finds a pod by it.
            JSONMember("cgroupParent", .string("\(node.controlGroup)/kubepods/besteffort/pod\(pod.uid)"))
        )
        return answer["id"]?.string ?? ""
    }

    /// Waits until it has loaded a network with exactly these plugins.
    func hasLoaded(_ plugins: [String]) async throws {
        try await waitUntil("containerd has loaded \(plugins)") {
            try await call("plugins")["types"]?.strings == plugins
        }
    }

    func status(_ id: String) async throws -> Status {
        let answer = try await call("status", JSONMember("id", .string(id)))
        return Status(
            isReady: answer["isReady"]?.bool ?? false,
            addresses: answer["addresses"]?.strings ?? [],
            namespace: answer["networkNamespace"]?.string ?? ""
        )
    }

    struct Status {
        let isReady: Bool
        let addresses: [String]

        /// The path of the network namespace on the node.
        let namespace: String
    }

    func stop(_ id: String) async throws { _ = try await call("stop", JSONMember("id", .string(id))) }

    func remove(_ id: String) async throws { _ = try await call("remove", JSONMember("id", .string(id))) }

    /// Stops and removes, as the kubelet does when a pod is deleted.
    func end(_ id: String) async throws {
        try await stop(id)
        try await remove(id)
    }

    func sandboxes() async throws -> [String] { try await call("list")["ids"]?.strings ?? [] }

    /// Where the connections of a sandbox end.
    func traffic(of id: String) async throws -> PodTraffic {
        let status = try await status(id)
        return try await node.traffic(ofNamespace: status.namespace, address: status.addresses.first ?? "")
    }

    /// The program that runs `cri.py`: `CRI_PYTHON` names it, else it is where `scripts/install-grpcio` puts it.
    static let python =
        ProcessInfo.processInfo.environment["CRI_PYTHON"]
        ?? URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../.build-grpcio/python")
        .standardized.path(percentEncoded: false)

    private static func socket(_ folder: NodeFolder) -> String { "\(folder.path)/containerd.sock" }

    private func call(_ name: String, _ more: JSONMember...) async throws -> JSONValue {
        let answer = try await RuntimeNode.run(
            [Self.python, RuntimeNode.source("cri.py"), Self.socket(folder)],
            input: JSONValue.object([JSONMember("call", .string(name))] + more).text()
        )
        return try JSONValue(parsing: Array(answer.utf8))
    }

    private static let image = "docker.io/local/pause:1"

    private func importImage() async throws {
        let root = try await node.makeRoot()
        let archive = "\(folder.path)/pause.tar"
        _ = try await RuntimeNode.run([Self.python, RuntimeNode.source("image.py"), root, Self.image, archive])
        _ = try await node.run([
            "ctr", "--address", Self.socket(folder), "--namespace", "k8s.io",
            "images", "import", "--snapshotter", "native", archive,
        ])
    }

    /// Without `restrict_oom_score_adj` a machine without CAP_SYS_RESOURCE starts no sandbox, and containerd does not
    /// say why.
    private static func configurationText(_ folder: NodeFolder) -> String {
        """
        version = 2
        root = "\(folder.path)/containerd"
        state = "/run/containerd"
        [grpc]
          address = "\(socket(folder))"
        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "\(image)"
          restrict_oom_score_adj = true
          disable_tcp_service = true
          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "\(folder.plugins)"
            conf_dir = "\(folder.configuration)"
          [plugins."io.containerd.grpc.v1.cri".containerd]
            snapshotter = "native"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
              runtime_type = "io.containerd.runc.v2"

        """
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test where the client of the Container Runtime Interface is not there.
    ///
    /// Under `CI` it runs all the same, and fails.
    static var requiresGRPC: Self {
        .enabled(
            if: ProcessInfo.processInfo.environment["CI"] != nil || ExecutableFile.isPresent(Containerd.python),
            "PyPI's grpcio is needed, which scripts/install-grpcio gets"
        )
    }
}
