import CNIProtocol
import Foundation
import LinuxKernel
import RuntimeSupport
import Testing

/// Pods as containerd starts and ends them, with our plugin behind Debian's `bridge` and `portmap`.
@Suite(.requiresPrograms("containerd", "ctr", "runc", "gcc"), .requiresGRPC, .timeLimit(.minutes(3)))
struct ContainerdTests {
    let mesh = NodePod("cart", isInMesh: true)
    let outside = NodePod("batch", isInMesh: false)

    /// A node whose chain has our entry and our plugin, put there by hand.
    private func whileRunning(waitSeconds: Int, _ body: (Containerd) async throws -> Void) async throws {
        let files = try NodeFolder()
        try files.linkPlugin(notingCallsIn: files.log("calls"))
        try files.writePrimary([files.entry(waitSeconds: waitSeconds)])
        try files.add(mesh)
        try files.add(outside)
        try await Containerd.whileRunning(files, body)
    }

    /// The calls of our plugin so far.
    private func calls(_ containerd: Containerd) throws -> [String] {
        guard FileManager.default.fileExists(atPath: containerd.files.log("calls")) else { return [] }
        return try String(contentsOfFile: containerd.files.log("calls"), encoding: .utf8)
            .split(separator: "\n").map(String.init)
    }

    @Test func `a pod of the mesh is redirected, and one outside is not`() async throws {
        try await whileRunning(waitSeconds: 60) { containerd in
            let agent = try await containerd.node.startAgent()

            let first = try await containerd.run(mesh)
            let second = try await containerd.run(outside)

            #expect(try await containerd.traffic(of: first) == .redirected)
            #expect(try await containerd.traffic(of: second) == .direct)
            for id in [first, second] {
                #expect(try await containerd.status(id).isReady)
                try await containerd.end(id)
            }
            #expect(try await containerd.sandboxes() == [])
            let deletes = try calls(containerd).filter { $0.hasPrefix("DEL ") }
            // Stop, and Remove once the namespace is gone.
            #expect(deletes.count == 4)
            #expect(deletes.filter { $0.hasPrefix("DEL netns= ") }.count == 2)
            agent.kill()
            _ = try await agent.ending()
        }
    }

    @Test func `with the agent dead a pod outside the mesh starts, and every pod ends`() async throws {
        try await whileRunning(waitSeconds: 60) { containerd in
            let agent = try await containerd.node.startAgent()
            let before = try await containerd.run(mesh)
            agent.kill()
            _ = try await agent.ending()

            // The runtime has handed over the annotations: nobody else could have said that it is outside.
            let after = try await containerd.run(outside)

            #expect(try await containerd.traffic(of: after) == .direct)
            #expect(try await containerd.traffic(of: before) == .redirected)
            for id in [before, after] { try await containerd.end(id) }
            #expect(try await containerd.sandboxes() == [])
        }
    }

    @Test func `a pod of the mesh waits for an agent that is away`() async throws {
        try await whileRunning(waitSeconds: 60) { containerd in
            async let waiting = containerd.run(mesh)
            try await waitUntil("the plugin is called") { try calls(containerd).contains { $0.hasPrefix("ADD ") } }

            let agent = try await containerd.node.startAgent()
            let id = try await waiting

            #expect(try await containerd.traffic(of: id) == .redirected)
            #expect(try calls(containerd).filter { $0.hasPrefix("ADD ") }.count == 1)
            try await containerd.end(id)
            agent.kill()
            _ = try await agent.ending()
        }
    }

    @Test func `a pod of the mesh does not start without an agent, and the kubelet is told why`() async throws {
        try await whileRunning(waitSeconds: 1) { containerd in
            let failure = await #expect(throws: CommandFailure.self) { try await containerd.run(mesh) }

            let message = failure?.message ?? ""
            #expect(message.contains("plugin type=\"istio-cni\" failed (add): pod shop/cart"), "\(message)")
            #expect(message.contains("no Istio CNI agent on node node-7 within 1 s"), "\(message)")
            #expect(message.contains("docs/errors.md, code 11"), "\(message)")
            #expect(try await containerd.sandboxes() == [])
            // What the plugins before ours had made is taken back by the runtime, with ours called as well.
            #expect(try calls(containerd).contains { $0.hasPrefix("DEL ") })
            let addresses = try FileManager.default.contentsOfDirectory(
                atPath: "\(containerd.files.folder)/addresses/pods"
            )
            #expect(addresses.filter { $0.hasPrefix("10.90.") } == [])
        }
    }

    @Test func `a pod ends after our entry has gone`() async throws {
        try await whileRunning(waitSeconds: 60) { containerd in
            let agent = try await containerd.node.startAgent()
            let id = try await containerd.run(mesh)
            agent.kill()
            _ = try await agent.ending()

            try containerd.files.writePrimary()
            try await containerd.end(id)

            #expect(try await containerd.sandboxes() == [])
        }
    }
}
