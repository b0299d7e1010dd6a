import LinuxKernel
import TestSupport
import Testing

@testable import Enforcement
@testable import Redirect

@Suite(.requiresNetworkNamespaces) struct EnforcerTests {
    static let backends = RedirectPlan.Backend.allCases

    /// A namespace as a runtime hands it over: `lo` is up.
    func makeSandbox() async throws -> NetworkNamespace {
        let namespace = try NetworkNamespace.makeNew()
        try RouteSocket(in: namespace).setLoopbackUp()
        return namespace
    }

    func plan(_ name: String, _ backend: RedirectPlan.Backend) throws -> RedirectPlan {
        var plan = try #require(SamplePlans.all[name])
        plan.backend = backend
        return plan
    }

    @Test(arguments: SamplePlans.names, backends)
    func `an applied plan is in force, and removing it leaves nothing`(
        name: String,
        backend: RedirectPlan.Backend
    ) async throws {
        let namespace = try await makeSandbox()
        let plan = try plan(name, backend)
        let enforcer = Enforcer()
        let before = try await State(namespace)

        try enforcer.apply(plan, in: namespace)
        let drift = try enforcer.drift(from: plan, in: namespace)
        let isInForce = try enforcer.evidence(in: namespace).isInForce
        try enforcer.remove(plan, from: namespace)

        #expect(drift.differences == [])
        #expect(isInForce)
        let after = try await State(namespace)
        #expect(after == before)
    }

    @Test(arguments: backends)
    func `a second plan replaces the first, whatever the first one was`(backend: RedirectPlan.Backend) async throws {
        let names = SamplePlans.names
        let namespace = try await makeSandbox()
        let enforcer = Enforcer()
        for name in names + names.reversed() {
            let plan = try plan(name, backend)

            try enforcer.apply(plan, in: namespace)

            let drift = try enforcer.drift(from: plan, in: namespace)
            #expect(drift.differences == [], "\(name)")
        }
        try enforcer.remove(RedirectPlan(backend: backend), from: namespace)
        let after = try await State(namespace)
        let fresh = try await State(try await makeSandbox())
        #expect(after == fresh)
    }

    @Test func `a plan for the other back-end replaces what is there`() async throws {
        let namespace = try await makeSandbox()
        let enforcer = Enforcer()
        for backend in [RedirectPlan.Backend.iptables, .nftables, .iptables] {
            try enforcer.apply(try plan("tproxy-dual-stack", backend), in: namespace)

            let evidence = try enforcer.evidence(in: namespace)
            #expect(evidence.hasIPTablesChains == (backend == .iptables))
            #expect(evidence.ownTables.isEmpty == (backend == .iptables))
        }
    }

    @Test(arguments: backends)
    func `rules of others are left alone`(backend: RedirectPlan.Backend) async throws {
        let namespace = try await makeSandbox()
        let foreign = "*nat\n:OTHERS - [0:0]\n-A PREROUTING -p udp -m udp --dport 5000 -j OTHERS\nCOMMIT\n"
        _ = try await namespace.command("iptables-nft-restore", "--noflush", input: foreign)
        _ = try await namespace.command("nft", "add table inet others")
        let before = try await State(namespace)
        let plan = try plan("tproxy-dual-stack", backend)

        try Enforcer().apply(plan, in: namespace)
        try Enforcer().apply(plan, in: namespace)
        let listed = try await namespace.command("iptables-nft-save", "-t", "nat")
        try Enforcer().remove(plan, from: namespace)

        #expect(listed.contains("-A PREROUTING -p udp -m udp --dport 5000 -j OTHERS"))
        let after = try await State(namespace)
        #expect(after == before)
    }
}

/// What can be seen of a namespace from outside.
private struct State: Equatable {
    var rules: String
    var routing: String

    init(_ namespace: borrowing NetworkNamespace) async throws {
        // iptables leaves its empty tables behind; those say nothing.
        rules = try await namespace.command("nft", "-s", "list", "ruleset").split(separator: "\n")
            .filter { $0.contains("istio") || $0.contains("ISTIO") || $0.contains("OTHERS") || $0.contains("others") }
            .joined(separator: "\n")
        routing = ""
        routing += try await namespace.command("ip", "-o", "addr", "show", "dev", "lo")
        routing += try await namespace.command("ip", "rule")
        routing += try await namespace.command("ip", "-6", "rule")
        routing += try await namespace.command("ip", "-4", "route", "show", "table", "all")
        routing += try await namespace.command("ip", "-6", "route", "show", "table", "all")
    }
}
