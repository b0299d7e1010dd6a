import Foundation
import LinuxKernel
import TestSupport
import Testing

@testable import Enforcement
@testable import Redirect

@Suite(.requiresNetworkNamespaces) struct RedirectionEvidenceTests {
    private let enforcer = Enforcer()

    /// A namespace with our rules for a plan in force.
    private func redirected(_ plan: RedirectPlan = RedirectPlan()) throws -> NetworkNamespace {
        let namespace = try NetworkNamespace.makeNew()
        try RouteSocket(in: namespace).setLoopbackUp()
        try enforcer.apply(plan, in: namespace)
        return namespace
    }

    @Test(arguments: SamplePlans.names)
    func `a plan that was applied lacks nothing, and is ours`(name: String) throws {
        let plan = try #require(SamplePlans.all[name])
        let namespace = try redirected(plan)

        let evidence = try enforcer.evidence(in: namespace)

        #expect(evidence.missing(from: plan) == [])
        #expect(evidence.isInForce)
        // Nothing tells rules for both families without any list apart; their maker is found by comparing.
        #expect(evidence.maker == (["dns-servers", "dual-stack-dns"].contains(name) ? .upstreamNFTables : .ours))
    }

    @Test func `an empty namespace has none`() throws {
        let evidence = try enforcer.evidence(in: try NetworkNamespace.makeNew())

        #expect(!evidence.isInForce)
        #expect(evidence.maker == nil)
        #expect(evidence.missing(from: RedirectPlan()) == ["outbound IPv4", "inbound IPv4"])
    }

    @Test(arguments: [
        ["flush", "ruleset"], ["flush", "table", "inet", "istio-proxy-nat"],
        ["flush", "chain", "inet", "istio-proxy-nat", "output"],
        ["insert", "rule", "inet", "istio-proxy-nat", "output", "counter", "accept"],
        ["add", "table", "inet", "istio-proxy-nat", "{ flags dormant ; }"],
    ])
    func `what no packet meets is not in force`(change: [String]) async throws {
        let namespace = try redirected()

        _ = try await namespace.command("nft", "-f", "-", input: change.joined(separator: " ") + "\n")

        let evidence = try enforcer.evidence(in: namespace)
        #expect(!evidence.isInForce)
    }

    @Test func `IPv6 that is not redirected is not counted as redirected`() throws {
        let namespace = try redirected(RedirectPlan(redirectsIPv6: false))

        let evidence = try enforcer.evidence(in: namespace)

        #expect(evidence.missing(from: RedirectPlan(redirectsIPv6: true)) == ["outbound IPv6", "inbound IPv6"])
    }

    @Test func `TPROXY without its table is partial`() async throws {
        let plan = RedirectPlan(interceptionMode: .transparentProxy, inboundPorts: .all(except: [15_020, 15_021]))
        let namespace = try redirected(plan)

        _ = try await namespace.command("nft", "delete", "table", "inet", "istio-proxy-mangle")

        let evidence = try enforcer.evidence(in: namespace)
        #expect(evidence.isInForce)
        #expect(evidence.missing(from: plan) == ["inbound IPv4"])
    }
}

/// Upstream's own rules as they were recorded, put in place by the tools that upstream uses.
@Suite(.requiresSeveralUsers) struct UpstreamEvidenceTests {
    private let enforcer = Enforcer()

    static let cases = RecordedCase.redirected(count: 20)

    @Test(arguments: cases, ["nft", "legacy"])
    func `upstream's iptables rules are in force, by upstream`(recorded: RecordedCase, variant: String) async throws {
        let namespace = try NetworkNamespace.makeNew()
        try await recorded.load(variant == "nft" ? .iptablesNFT : .iptablesLegacy, into: namespace)
        let plan = try recorded.plan()

        let evidence = try enforcer.evidence(in: namespace)

        #expect(evidence.missing(from: plan) == [])
        #expect(evidence.maker == (variant == "nft" ? .iptablesNFT : .iptablesLegacy))
    }

    @Test(arguments: cases)
    func `upstream's nftables rules are in force, by upstream`(recorded: RecordedCase) async throws {
        let namespace = try NetworkNamespace.makeNew()
        try await recorded.load(.nftables, into: namespace)
        let plan = try recorded.plan()

        let evidence = try enforcer.evidence(in: namespace)

        #expect(evidence.missing(from: plan) == [])
        #expect(evidence.maker == .upstreamNFTables)
    }

    @Test(arguments: ["-F OUTPUT", "-F", "-D OUTPUT -j ISTIO_OUTPUT", "-I OUTPUT 1 -j ACCEPT"], ["nft", "legacy"])
    func `chains that no packet meets are not in force`(change: String, variant: String) async throws {
        let namespace = try NetworkNamespace.makeNew()
        let rules = RuleSet(RedirectPlan()).iptablesTables(.ipv4).map { $0.restoreText }.joined()
        _ = try await namespace.command("iptables-\(variant)-restore", "--noflush", input: rules)
        let before = try enforcer.evidence(in: namespace)

        let input = change == "-F" ? "*nat\n-F\nCOMMIT\n" : "*nat\n\(change)\nCOMMIT\n"
        _ = try await namespace.command("iptables-\(variant)-restore", "--noflush", input: input)

        let after = try enforcer.evidence(in: namespace)
        #expect(before.isInForce)
        #expect(!after.isInForce)
    }

    @Test func `looking makes no legacy table`() async throws {
        let namespace = try NetworkNamespace.makeNew()

        _ = try enforcer.evidence(in: namespace)

        let names = try await namespace.command("cat", "/proc/net/ip_tables_names", "/proc/net/ip6_tables_names")
        #expect(names == "")
    }
}

extension RecordedCase {
    /// The plan of the recorded pod.
    fileprivate func plan() throws -> RedirectPlan {
        let decision = try Decision(pod: pod, addresses: addresses, backend: .nftables)
        guard case .redirect(let plan, _) = decision else {
            Issue.record("\(id) is not redirected")
            return RedirectPlan()
        }
        return plan
    }
}
