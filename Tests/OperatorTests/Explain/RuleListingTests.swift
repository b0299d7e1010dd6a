import CNIProtocol
import LinuxKernel
import Redirect
import TestSupport
import Testing

@testable import Operator

/// `rules` prints what the kernel's own tools take, and `trace` names the rule that decides.
@Suite struct RuleListingTests {
    @Test(.requiresNetworkNamespaces)
    func `nft and iptables take the rules of every recorded pod, each with its reason`()
        async throws
    {
        var count = 0
        for recorded in try ExplainTests.recorded() {
            guard let pod = try? ExplainedPod(recorded.manifest, recorded.circumstances), let plan = pod.plan else {
                continue
            }
            let rules = RuleSet(plan)
            let namespace = try NetworkNamespace.makeNew()
            let script = RuleListing.text(rules, as: .nft)
            _ = try await namespace.command("nft", "--check", "-f", "-", input: script)
            let halves = RuleListing.text(rules, as: .iptables).split(
                separator: "# IPv6: ip6tables-restore --noflush\n"
            )
            for (program, half) in zip(["iptables-nft-restore", "ip6tables-nft-restore"], halves) {
                _ = try await namespace.command(program, "--noflush", "--test", input: String(half))
            }
            let ruleCount = rules.tables.flatMap { $0.chains }.flatMap { $0.rules }.count
            let comments = script.split(separator: "\n").filter { $0.contains("# ") }.count
            #expect(comments == ruleCount)
            count += 1
        }
        #expect(count > 70)
    }

    @Test(
        arguments: [
            ("10.0.0.1:80", "10.0.0.1", 80), ("[fd00::1]:443", "fd00::1", 443), ("10.0.0.1", nil, 0),
            ("fd00::1:80", nil, 0),
            ("[fd00::1]", nil, 0), ("10.0.0.1:65536", nil, 0), ("", nil, 0), ("[]:1", nil, 0), ("name:80", nil, 0),
        ] as [(String, String?, UInt16)]
    )
    func `a destination is an address and a port`(text: String, address: String?, port: UInt16) {
        let endpoint = Endpoint(text)

        #expect(endpoint?.address.description == address)
        #expect(endpoint?.port ?? 0 == port)
    }

    @Test func `a trace shows each rule on the way, the condition that fails, and the one that decides`() throws {
        let plan = RedirectPlan(excludedOutboundPorts: [15_020])
        let server = try #require(IPAddress("203.0.113.9"))
        let request = ConnectionTrace.Request(to: server, port: 15_020, .tcp, .outbound(user: 1_000, group: 1_000))

        let trace = ConnectionTrace(request, RuleSet(plan), addresses: ["10.0.0.2/24"])

        let text = trace.text(hasColour: false)
        #expect(trace.verdict.outcome == .passes)
        #expect(
            text.contains("  =>  meta l4proto tcp tcp dport 15020 counter return\n        excluded-outbound-port: ")
        )
        #expect(text.contains("        not meta nfproto ipv6\n"))
        #expect(text.hasSuffix("because      excluded-outbound-port: the port is in excludeOutboundPorts\n"))
        #expect(trace.value["decidedBy"]?.string == "excluded-outbound-port")
        #expect(trace.value["rules"]?.array?.count == trace.verdict.visits.count)
    }
}
