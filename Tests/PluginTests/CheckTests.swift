import Enforcement
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// CHECK, beside what it says for each version of the specification.
@Suite(.requiresNetworkNamespaces) struct CheckTests {
    func check(_ namespace: borrowing NetworkNamespace, _ directory: TemporaryDirectory) -> PluginCall {
        var call = PluginCall(namespace, directory)
        call.command = "CHECK"
        return call
    }

    @Test func `without the agent redirection that is in force is enough`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        try Enforcer().apply(RedirectPlan(), in: namespace)

        let outcome = try await check(namespace, TemporaryDirectory()).run()

        #expect(outcome.ending == .exit(0))
        #expect(outcome.output == "")
    }

    @Test func `without the agent and without redirection, the annotations say what is wrong`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        var call = try check(namespace, TemporaryDirectory())

        let known = try await call.run().error()
        call.annotations = nil
        let unknown = try await call.run().error()

        #expect(known.code == 104)
        #expect(known.msg.contains("default/web-1"))
        #expect(unknown.code == 11)
    }

    @Test(arguments: ["{}", nil])
    func `a pod outside the mesh passes`(annotations: String?) async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .skip(.notInjected))
        var call = check(namespace, directory)
        call.annotations = annotations

        let outcome = try await call.run()

        agent.stop()
        #expect(outcome.ending == .exit(0))
        #expect(agent.count("/v1/add") == (annotations == nil ? 1 : 0))
    }

    @Test(.requiresSeveralUsers) func `a rule of iptables that is gone is named`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let plan = RedirectPlan(backend: .iptables)
        let agent = try ScriptedAgent(in: directory, .plan(plan))
        try Enforcer().apply(plan, in: namespace)
        let call = check(namespace, directory)

        let before = try await call.run()
        let restore = "*nat\n-D ISTIO_OUTPUT -s 127.0.0.6/32 -o lo -j RETURN\nCOMMIT\n"
        _ = try await namespace.command("iptables-nft-restore", "--noflush", input: restore)
        let after = try await call.run().error()

        agent.stop()
        #expect(before.ending == .exit(0))
        #expect(after.code == 104)
        #expect(after.details?.contains("127.0.0.6") == true, "\(after)")
    }

    /// A new setting of the agent holds from the next sandbox on.
    @Test(.requiresSeveralUsers, arguments: RedirectPlan.Backend.allCases)
    func `rules of the other back-end are as good`(backend: RedirectPlan.Backend) async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        var plan = RedirectPlan(backend: backend)
        try Enforcer().apply(plan, in: namespace)
        plan.backend = backend == .nftables ? .iptables : .nftables
        let agent = try ScriptedAgent(in: directory, .plan(plan))

        let same = try await check(namespace, directory).run()
        plan.excludedOutboundPorts = [9_999]
        agent.say(.plan(plan))
        let other = try await check(namespace, directory).run().error()

        agent.stop()
        #expect(same.ending == .exit(0), "\(same.output)")
        #expect(other.code == 104)
    }

    @Test func `an error has the version of the configuration`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        var call = try check(namespace, TemporaryDirectory())
        call.version = "0.4.0"
        call.arguments = "K8S_POD_NAME"

        let error = try await call.run().error()

        #expect(error.code == 4)
        #expect(error.cniVersion == "0.4.0")
    }
}
