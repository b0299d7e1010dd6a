import CNIProtocol
import Conformance
import Foundation
import LinuxKernel
import RuntimeSupport
import Testing

/// Pods as containerd starts and ends them, on a chain that the agent itself made: our plugin behind Debian's `bridge`
/// and `portmap`.
@Suite(.requiresPrograms("containerd", "ctr", "runc", "gcc"), .requiresGRPC, .timeLimit(.minutes(10)))
struct ContainerdTests {
    let mesh = RuntimePod("cart", isInMesh: true)
    let outside = RuntimePod("batch", isInMesh: false)

    /// A node on which the agent has installed the plugin; afterwards it is taken off again, and nothing of it is left.
    private func whileInstalled(
        waitSeconds: Int,
        _ body: (Containerd, RunningProgram) async throws -> Void
    ) async throws {
        let folder = try NodeFolder()
        try folder.makeImage(notingCallsIn: folder.log("calls"))
        try folder.writePrimary()
        for pod in [mesh, outside] { try folder.add(pod) }
        let before = try folder.installedFiles()
        try await Containerd.whileRunning(folder) { containerd in
            try await containerd.hasLoaded(["bridge", "portmap"])
            let agent = try await containerd.node.startAgent(waitSeconds: waitSeconds)
            try await containerd.hasLoaded(["bridge", "portmap", "istio-cni"])

            try await body(containerd, agent)

            try await agent.end()
            try await folder.uninstall()
            try await containerd.hasLoaded(["bridge", "portmap"])
            #expect(try folder.installedFiles() == before)
            #expect(try await containerd.sandboxes() == [])
        }
    }

    /// The calls of our plugin so far.
    private func calls(_ containerd: Containerd) throws -> [String] {
        guard FileManager.default.fileExists(atPath: containerd.folder.log("calls")) else { return [] }
        return try String(contentsOfFile: containerd.folder.log("calls"), encoding: .utf8)
            .split(separator: "\n").map(String.init)
    }

    @Test(.tags(.s1, .s7, .s12, .s13)) func `a pod of the mesh is redirected, and one outside is not`() async throws {
        try await whileInstalled(waitSeconds: 60) { containerd, _ in
            let first = try await containerd.run(mesh)
            let second = try await containerd.run(outside)

            #expect(try await containerd.traffic(of: first) == .redirected)
            #expect(try await containerd.traffic(of: second) == .direct)
            for id in [first, second] {
                #expect(try await containerd.status(id).isReady)
                try await containerd.end(id)
            }
            let deletes = try calls(containerd).filter { $0.hasPrefix("DEL ") }
            // Stop, and Remove once the namespace is gone.
            #expect(deletes.count == 4)
            #expect(deletes.filter { $0.hasPrefix("DEL netns= ") }.count == 2)
        }
    }

    @Test func `with the agent dead a pod outside the mesh starts, and every pod ends`() async throws {
        try await whileInstalled(waitSeconds: 60) { containerd, agent in
            let before = try await containerd.run(mesh)
            try await agent.end()

            // The runtime has handed over the annotations: nobody else could have said that it is outside.
            let after = try await containerd.run(outside)

            #expect(try await containerd.traffic(of: after) == .direct)
            #expect(try await containerd.traffic(of: before) == .redirected)
            for id in [before, after] { try await containerd.end(id) }
        }
    }

    @Test func `a pod of the mesh waits for an agent that is away`() async throws {
        try await whileInstalled(waitSeconds: 60) { containerd, agent in
            try await agent.end()
            async let waiting = containerd.run(mesh)
            try await waitUntil("the plugin is called") { try calls(containerd).contains { $0.hasPrefix("ADD ") } }

            let next = try await containerd.node.startAgent(waitSeconds: 60)
            let id = try await waiting

            #expect(try await containerd.traffic(of: id) == .redirected)
            #expect(try calls(containerd).filter { $0.hasPrefix("ADD ") }.count == 1)
            try await containerd.end(id)
            try await next.end()
        }
    }

    @Test func `a pod of the mesh does not start without an agent, and the kubelet is told why`() async throws {
        try await whileInstalled(waitSeconds: 1) { containerd, agent in
            try await agent.end()

            let failure = await #expect(throws: CommandFailure.self) { try await containerd.run(mesh) }

            let message = failure?.message ?? ""
            #expect(message.contains("plugin type=\"istio-cni\""), "\(message)")
            #expect(message.contains("failed (add): pod shop/cart: "), "\(message)")
            #expect(message.contains("no Istio CNI agent on node node-7 within 1 s"), "\(message)")
            #expect(message.contains("docs/errors.md, code 11"), "\(message)")
            // What the plugins before ours had made is taken back by the runtime, with ours called as well.
            #expect(try calls(containerd).contains { $0.hasPrefix("DEL ") })
            #expect(try containerd.folder.takenAddresses() == [])
        }
    }

    @Test(.tags(.s34)) func `a pod ends after our entry has gone`() async throws {
        try await whileInstalled(waitSeconds: 60) { containerd, agent in
            let id = try await containerd.run(mesh)
            try await agent.end()

            try await containerd.folder.uninstall()
            try await containerd.hasLoaded(["bridge", "portmap"])
            let deletes = try calls(containerd).count { $0.hasPrefix("DEL ") }
            try await containerd.end(id)

            #expect(try calls(containerd).count { $0.hasPrefix("DEL ") } == deletes)
            #expect(try containerd.folder.takenAddresses() == [])
        }
    }
}
