import Conformance
import Foundation
import LinuxKernel
import RuntimeSupport
import Testing

/// A node that comes back: the run directory is empty, the primary configuration as its owner writes it, and pods start
/// before the agent does.
@Suite(.tags(.s23), .requiresPrograms("containerd", "ctr", "runc", "gcc"), .requiresGRPC, .timeLimit(.minutes(10)))
struct RebootTests {
    private let mesh = RuntimePod("cart", isInMesh: true)
    private let outside = RuntimePod("batch", isInMesh: false)
    private static let ownPlugins = ["bridge", "portmap", "istio-cni"]

    /// A node on which the agent has installed the plugin, and which has then been started anew.
    private func whileComingBack(
        _ arguments: [String] = [],
        _ body: (Containerd) async throws -> Void
    ) async throws {
        let folder = try NodeFolder()
        try folder.makeImage()
        try folder.writePrimary()
        for pod in [mesh, outside] { try folder.add(pod) }
        let before = try folder.installedFiles()
        try await Containerd.whileRunning(folder) { containerd in
            let agent = try await containerd.node.startAgent(waitSeconds: 60, arguments)
            try await containerd.hasLoaded(Self.ownPlugins)
            try await agent.end()
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.runDirectory) {
                try FileManager.default.removeItem(atPath: "\(folder.runDirectory)/\(name)")
            }
            try folder.writePrimary()

            try await body(containerd)

            try await folder.uninstall()
            #expect(try folder.installedFiles() == before)
        }
    }

    @Test func `a configuration file of its own holds pods of the mesh until the agent is back`() async throws {
        let arguments = ["--istio-owned-cni-config"]
        try await whileComingBack(arguments) { containerd in
            try await containerd.hasLoaded(Self.ownPlugins)
            async let held = containerd.run(mesh)
            let free = try await containerd.run(outside)
            #expect(try await containerd.traffic(of: free) == .direct)

            let agent = try await containerd.node.startAgent(waitSeconds: 60, arguments)

            let id = try await held
            #expect(try await containerd.traffic(of: id) == .redirected)
            for id in [id, free] { try await containerd.end(id) }
            try await agent.end()
        }
    }

    @Test func `without one a pod that slipped by is repaired before its validation gives up`() async throws {
        try await whileComingBack { containerd in
            try await containerd.hasLoaded(["bridge", "portmap"])
            let id = try await containerd.run(mesh)
            #expect(try await containerd.traffic(of: id) == .direct)
            let status = try await containerd.status(id)
            var pod = mesh
            pod.address = status.addresses.first
            try containerd.folder.add(pod)

            async let validation: Void = validate(containerd.node.path(status.namespace), containerd.folder)
            let agent = try await containerd.node.startAgent(
                waitSeconds: 60,
                environment: ["REPAIR_REPAIR_PODS=true"]
            )

            try await validation
            #expect(try await containerd.traffic(of: id) == .redirected)
            try await containerd.hasLoaded(Self.ownPlugins)
            try await containerd.end(id)
            try await agent.end()
        }
    }

    /// The init container of the injector, at its first start: it proves that the pod is redirected, or fails after 5 s.
    private func validate(_ namespace: String, _ folder: NodeFolder) async throws {
        let tool = "\(folder.path)/istio-iptables"
        try FileManager.default.createSymbolicLink(
            atPath: tool,
            withDestinationPath: "\(folder.programs)/install-cni"
        )
        let program = ChildProcess(
            "/usr/bin/setpriv",
            [
                "--reuid", "1337", "--regid", "1337", "--clear-groups",
                // The clone may lie below a folder that only root can enter; this right is about files alone.
                "--bounding-set=-all,+dac_read_search", "--inh-caps=-all,+dac_read_search",
                "--ambient-caps=-all,+dac_read_search",
                tool, "--skip-rule-apply", "--run-validation",
            ],
            environment: [RunningProgram.searchPath],
            deadlineMilliseconds: 60_000
        )
        let outcome = try await onThread { try program.run(in: NetworkNamespace(at: namespace)) }
        #expect(outcome.isSuccess, "\(outcome.ending): \(String(decoding: outcome.standardError, as: UTF8.self))")
    }
}
