import CNIProtocol
import Foundation
import LinuxKernel
import RuntimeSupport

/// A podman of its own, with its back-end for CNI networks.
struct Podman: Sendable {
    let node: RuntimeNode
    private let root: String

    /// Makes a node with this folder, and ends it after `body`.
    static func whileRunning(_ folder: NodeFolder, _ body: (Podman) async throws -> Void) async throws {
        try folder.write(configurationText(folder), to: configuration(folder))
        try await RuntimeNode.whileRunning(folder, ["sleep", "infinity"]) { node in
            try await body(Podman(node: node, root: try await node.makeRoot()))
        }
    }

    /// Runs a container.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - arguments: `CNI_ARGS` of podman's own environment, which it passes on.
    /// - Throws: ``CommandFailure`` with what podman says.
    func run(_ name: String, arguments: String? = nil) async throws {
        _ = try await podman(
            ["run", "--detach", "--cgroup-parent", node.controlGroup, "--network", "pods", "--name", name, "--rootfs"]
                + [root, "/pause"],
            arguments
        )
    }

    /// Ends a container and removes it.
    func remove(_ name: String) async throws { _ = try await podman(["rm", "--force", "--time", "5", name]) }

    func containers() async throws -> String { try await podman(["ps", "--all", "--quiet"]) }

    /// Where the connections of a container end.
    func traffic(of name: String) async throws -> PodTraffic {
        let format = "{{.NetworkSettings.SandboxKey}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        let words = try await podman(["inspect", "--format", format, name])
            .trimmingCharacters(in: .whitespacesAndNewlines).split(separator: " ").map(String.init)
        guard words.count == 2 else { throw TestFailure("podman inspect says \(words)") }
        return try await node.traffic(ofNamespace: words[0], address: words[1])
    }

    private func podman(_ words: [String], _ arguments: String? = nil) async throws -> String {
        let folder = "\(node.folder.path)/podman"
        let usual = [
            "podman", "--root", "\(folder)/root", "--runroot", "\(folder)/run", "--tmpdir", "\(folder)/tmp",
            "--storage-driver", "vfs",
        ]
        let environment = ["CONTAINERS_CONF=\(Self.configuration(node.folder))", "HOME=/root"]
        return try await node.run(
            usual + words,
            environment: environment + (arguments.map { ["CNI_ARGS=\($0)"] } ?? [])
        )
    }

    private static func configuration(_ folder: NodeFolder) -> String { "\(folder.path)/containers.conf" }

    /// The limits are named, since podman's own are too high for a machine without CAP_SYS_RESOURCE.
    private static func configurationText(_ folder: NodeFolder) -> String {
        """
        [network]
        network_backend = "cni"
        cni_plugin_dirs = ["\(folder.plugins)"]
        network_config_dir = "\(folder.configuration)"
        default_network = "pods"
        [engine]
        cgroup_manager = "cgroupfs"
        events_logger = "none"
        runtime = "runc"
        [containers]
        default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]

        """
    }
}
