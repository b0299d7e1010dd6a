import Testing

@testable import Redirect

@Suite struct VerdictTests {
    static let application = Packet.Owner(user: 1000, group: 1000)
    static let proxy = Packet.Owner(user: 1337, group: 1337)

    func packet(
        _ direction: Packet.Direction,
        to destination: String,
        port: UInt16,
        owner: Packet.Owner?,
        transport: TransportProtocol = .tcp
    ) throws -> Packet {
        let destination = try #require(IPAddress(destination))
        let source = try #require(IPAddress(destination.family == .ipv4 ? "10.1.0.2" : "fd10::2"))
        return Packet(direction, transport, from: source, to: destination, destinationPort: port, owner: owner)
    }

    @Test func `an application's connection goes to the outbound listener`() throws {
        let packet = try packet(.outbound(interface: "eth0"), to: "10.9.9.9", port: 80, owner: Self.application)

        let verdict = RuleSet(RedirectPlan()).verdict(for: packet)

        #expect(verdict.outcome == .redirected(toPort: 15_001))
        #expect(verdict.decision?.rule.reason == .includedOutboundRange)
    }

    @Test func `the proxy's connection passes`() throws {
        let packet = try packet(.outbound(interface: "eth0"), to: "10.9.9.9", port: 80, owner: Self.proxy)

        let verdict = RuleSet(RedirectPlan()).verdict(for: packet)

        #expect(verdict.outcome == .passes)
        #expect(verdict.decision?.rule.reason == .proxyTraffic)
    }

    @Test func `the proxy that calls its own pod comes in through the front door`() throws {
        let packet = try packet(.outbound(interface: "lo"), to: "10.1.0.2", port: 80, owner: Self.proxy)

        let redirected = RuleSet(RedirectPlan()).verdict(for: packet)
        let tproxy = RuleSet(RedirectPlan(interceptionMode: .transparentProxy)).verdict(for: packet)

        #expect(redirected.outcome == .redirected(toPort: 15_006))
        #expect(tproxy.outcome == .redirected(toPort: 15_006))
        #expect(redirected.decision?.rule.reason == .proxyCallsItself)
    }

    @Test func `IPv6 that is not enabled is let go at the door`() throws {
        let packet = try packet(.outbound(interface: "eth0"), to: "2001:db8::1", port: 80, owner: Self.application)

        let off = RuleSet(RedirectPlan()).verdict(for: packet)
        let on = RuleSet(RedirectPlan(redirectsIPv6: true)).verdict(for: packet)

        #expect(off.outcome == .passes)
        #expect(off.decision?.rule.reason == .familyNotRedirected)
        #expect(on.outcome == .redirected(toPort: 15_001))
    }

    @Test func `a transparent proxy that does not listen means a drop, not a bypass`() throws {
        let packet = try packet(.inbound(interface: "eth0"), to: "10.1.0.2", port: 80, owner: nil)
        let rules = RuleSet(RedirectPlan(interceptionMode: .transparentProxy))

        #expect(rules.verdict(for: packet).outcome == .takenOver(byPort: 15_006))
        #expect(rules.verdict(for: packet, proxyListens: false).outcome == .dropped)
    }

    @Test(arguments: TransportProtocol.allCases)
    func `captured DNS goes to the proxy, whose own requests pass`(transport: TransportProtocol) throws {
        let rules = RuleSet(RedirectPlan(dns: .all))
        let out = Packet.Direction.outbound(interface: "eth0")
        let application = try packet(out, to: "10.96.0.10", port: 53, owner: Self.application, transport: transport)
        let proxy = try packet(out, to: "10.96.0.10", port: 53, owner: Self.proxy, transport: transport)

        #expect(rules.verdict(for: application).outcome == .redirected(toPort: 15_053))
        #expect(rules.verdict(for: proxy).outcome == .passes)
    }

    @Test func `what no socket owns matches neither a user nor its opposite`() throws {
        let packet = try packet(.outbound(interface: "lo"), to: "10.1.0.2", port: 80, owner: nil)

        let verdict = RuleSet(RedirectPlan()).verdict(for: packet)

        #expect(!verdict.steps.contains { $0.rule.reason == .applicationOnLoopback })
    }
}
