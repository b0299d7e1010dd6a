import Agent
import Enforcement
import Foundation
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// Pods with `hostUsers: false` (architecture, decision 22).
@Suite(.requiresSeveralUsers, .timeLimit(.minutes(2))) struct UserNamespaceTests {
    @Test(arguments: RedirectPlan.Backend.allCases)
    func `a pod in a user namespace of its own is repaired`(backend: RedirectPlan.Backend) async throws {
        let process = try await onThread {
            var program = BackgroundProgram("/bin/sleep", ["600"])
            program.endsWithParent = false
            return try program.startApart(input: MemoryFile(), output: MemoryFile()) { process throws(KernelError) in
                for map in ["uid_map", "gid_map"] {
                    do {
                        try Data("0 100000 65536\n".utf8).write(to: URL(filePath: "/proc/\(process)/\(map)"))
                    } catch {
                        throw KernelError("write \(map): \(error)", .notPermitted)
                    }
                }
            }
        }
        defer { process.end(milliseconds: 1_000) }
        let namespace = try NetworkNamespace(at: "/proc/\(process.identifier)/ns/net")
        let differs = try namespace.owningUserNamespace().differsFromOwn()
        #expect(differs)
        try RouteSocket(in: namespace).setLoopbackUp()
        _ = try await namespace.command("ip", "addr", "add", "10.79.0.1/32", "dev", "lo")
        let node = try RepairedNode(backend: backend)
        var pod = RepairDecisionTests.pod()
        pod.pod.uid = StagedPod.newUID()
        pod.addresses = ["10.79.0.1"]
        try node.shown.show(process.identifier, of: pod.pod.uid)
        node.pods.replaceAll([pod])

        await node.check(at: 0)

        let seen = try node.onlyPod()
        #expect(seen.state == .redirected, "\(seen.reason)")
        #expect(node.repaired("repair", "success") == 1)
        let evidence = try Enforcer().evidence(in: namespace)
        #expect(evidence.maker == (backend == .nftables ? .ours : .iptablesNFT))
    }
}
