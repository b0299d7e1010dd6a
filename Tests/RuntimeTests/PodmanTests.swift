import Foundation
import LinuxKernel
import RuntimeSupport
import Testing

/// Containers as podman starts and ends them, with our plugin behind Debian's `bridge` and `portmap`.
///
/// Podman is no Kubernetes: it names the container as the pod, and nothing else, and hands over no annotations.
@Suite(.requiresPrograms("podman", "conmon", "runc", "gcc"), .timeLimit(.minutes(3)))
struct PodmanTests {
    let mesh = NodePod("cart", isInMesh: true)
    let outside = NodePod("batch", isInMesh: false)

    private func whileRunning(waitSeconds: Int, _ body: (Podman) async throws -> Void) async throws {
        let files = try NodeFolder()
        try files.linkPlugin()
        try files.writePrimary([files.entry(waitSeconds: waitSeconds)])
        try files.add(mesh)
        try files.add(outside)
        try await Podman.whileRunning(files, body)
    }

    private func arguments(_ pod: NodePod) -> String {
        "IgnoreUnknown=1;K8S_POD_NAMESPACE=\(pod.namespace);K8S_POD_UID=\(pod.uid)"
    }

    @Test func `a container is no pod of Kubernetes and needs no agent`() async throws {
        try await whileRunning(waitSeconds: 1) { podman in
            try await podman.run(mesh.name)

            #expect(try await podman.traffic(of: mesh.name) == .direct)
            try await podman.remove(mesh.name)
            #expect(try await podman.containers() == "")
        }
    }

    @Test func `a container that is told its namespace is a pod, and the agent says whether of the mesh`() async throws
    {
        try await whileRunning(waitSeconds: 60) { podman in
            let agent = try await podman.node.startAgent()

            for pod in [mesh, outside] { try await podman.run(pod.name, arguments: arguments(pod)) }

            #expect(try await podman.traffic(of: mesh.name) == .redirected)
            #expect(try await podman.traffic(of: outside.name) == .direct)
            agent.kill()
            _ = try await agent.ending()
            for pod in [mesh, outside] { try await podman.remove(pod.name) }
            #expect(try await podman.containers() == "")
        }
    }

    @Test func `without annotations and without an agent no pod starts`() async throws {
        try await whileRunning(waitSeconds: 1) { podman in
            let failure = await #expect(throws: CommandFailure.self) {
                try await podman.run(outside.name, arguments: arguments(outside))
            }

            let message = failure?.message ?? ""
            #expect(message.contains("docs/errors.md, code 11"), "\(message)")
        }
    }
}
