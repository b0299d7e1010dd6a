import Foundation
import LinuxKernel
import RuntimeSupport
import Testing

/// Containers as podman starts and ends them, with our plugin behind Debian's `bridge` and `portmap`.
///
/// Podman is no Kubernetes: it names the container as the pod, and nothing else, and hands over no annotations.
@Suite(.requiresPrograms("podman", "conmon", "runc", "gcc"), .timeLimit(.minutes(10)))
struct PodmanTests {
    let mesh = RuntimePod("cart", isInMesh: true)
    let outside = RuntimePod("batch", isInMesh: false)

    /// A node on which the agent has installed the plugin; afterwards it is taken off again, and nothing of it is left.
    private func whileInstalled(waitSeconds: Int, _ body: (Podman, RunningProgram) async throws -> Void) async throws {
        let folder = try NodeFolder()
        try folder.makeImage()
        try folder.writePrimary()
        for pod in [mesh, outside] { try folder.add(pod) }
        let before = try folder.installedFiles()
        try await Podman.whileRunning(folder) { podman in
            let agent = try await podman.node.startAgent(waitSeconds: waitSeconds)

            try await body(podman, agent)

            try await agent.end()
            try await folder.uninstall()
            // Podman's own lock is beside its configuration from its first call on.
            #expect(try folder.installedFiles().filter { $0.key != "net.d/cni.lock" } == before)
            #expect(try await podman.containers() == "")
        }
    }

    private func arguments(_ pod: RuntimePod) -> String {
        "IgnoreUnknown=1;K8S_POD_NAMESPACE=\(pod.namespace);K8S_POD_UID=\(pod.uid)"
    }

    @Test func `a container is no pod of Kubernetes and needs no agent`() async throws {
        try await whileInstalled(waitSeconds: 1) { podman, agent in
            try await agent.end()

            try await podman.run(mesh.name)

            #expect(try await podman.traffic(of: mesh.name) == .direct)
            try await podman.remove(mesh.name)
        }
    }

    @Test func `a container that is told its namespace is a pod, and the agent says whether of the mesh`() async throws
    {
        try await whileInstalled(waitSeconds: 60) { podman, agent in
            for pod in [mesh, outside] { try await podman.run(pod.name, arguments: arguments(pod)) }

            #expect(try await podman.traffic(of: mesh.name) == .redirected)
            #expect(try await podman.traffic(of: outside.name) == .direct)
            try await agent.end()
            for pod in [mesh, outside] { try await podman.remove(pod.name) }
            #expect(try podman.node.folder.takenAddresses() == [])
        }
    }

    @Test func `without annotations and without an agent no pod starts`() async throws {
        try await whileInstalled(waitSeconds: 1) { podman, agent in
            try await agent.end()

            let failure = await #expect(throws: CommandFailure.self) {
                try await podman.run(outside.name, arguments: arguments(outside))
            }

            let message = failure?.message ?? ""
            #expect(message.contains("docs/errors.md, code 11"), "\(message)")
            try await podman.remove(outside.name)
        }
    }
}
