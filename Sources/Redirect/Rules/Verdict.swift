/// What the rules do with one packet, and which of them said so.
package struct Verdict: Equatable, Sendable {
    package let outcome: Outcome

    /// Every rule that the packet came by, in order.
    package let visits: [Visit]

    /// Every rule that matched, in order.
    package var steps: [Step] { visits.filter { $0.obstacle == nil }.map { $0.step } }

    /// The rule that decided, or nil if none had a say.
    ///
    /// For a jump into a chain that redirects it is the jump: that is the rule with the reason.
    package let decision: Step?

    package enum Outcome: Hashable, Sendable {
        /// The packet goes where it was going.
        case passes

        /// It arrives at this port of this host.
        case redirected(toPort: UInt16)

        /// A transparent socket on this port takes it as it is.
        case takenOver(byPort: UInt16)
        case dropped
    }

    /// A rule that was looked at.
    package struct Visit: Equatable, Sendable {
        package let step: Step

        /// The first condition that does not hold; nil where the rule matches.
        package let obstacle: Match?
    }

    /// A rule and where it is.
    package struct Step: Equatable, Sendable {
        package let table: Table.Name
        package let chain: Chain.Name
        package let rule: Rule
    }
}

extension RuleSet {
    /// Walks a packet through the rules in the order in which the kernel would.
    ///
    /// A packet that leaves over `lo`, or is redirected on its way out, arrives again, as in the kernel.
    ///
    /// - Parameters:
    ///   - packet: The packet; connections that exist already skip the nat table.
    ///   - proxyListens: Whether a transparent socket is there for TPROXY to hand connections to.
    /// - Returns: Where the packet ends, with every rule on the way.
    package func verdict(for packet: Packet, proxyListens: Bool = true) -> Verdict {
        var walk = PacketWalk(rules: self, packet: packet, proxyListens: proxyListens)
        walk.run()
        return walk.verdict
    }
}

/// A packet on its way.
private struct PacketWalk {
    let rules: RuleSet
    var packet: Packet
    let proxyListens: Bool
    var outcome = Verdict.Outcome.passes
    var visits: [Verdict.Visit] = []
    var decision: Verdict.Step?

    var verdict: Verdict { Verdict(outcome: outcome, visits: visits, decision: decision) }

    mutating func run() {
        switch packet.direction {
        case .inbound: arrive(isNew: packet.state == .new)
        case .outbound(let interface):
            for table in [Table.Name.raw, .mangle] { enter(.output, of: table) }
            if packet.state == .new { enter(.output, of: .nat) }
            var isLocal = interface == "lo"
            if case .redirected(let port) = outcome {
                packet.redirect(to: port)
                isLocal = true
            }
            guard isLocal, outcome != .dropped else { return }
            packet.direction = .inbound(interface: "lo")
            packet.owner = nil
            // Its connection has been through the nat table by now.
            arrive(isNew: false)
        }
    }

    private mutating func arrive(isNew: Bool) {
        for table in [Table.Name.raw, .mangle] { enter(.prerouting, of: table) }
        guard isNew, outcome == .passes else { return }
        enter(.prerouting, of: .nat)
    }

    private mutating func enter(_ base: Chain.Name, of table: Table.Name) {
        guard outcome != .dropped, let table = rules.table(table) else { return }
        _ = follow(base, in: table, jump: nil)
    }

    /// Walks one chain.
    ///
    /// - Returns: Whether the table is done with the packet.
    private mutating func follow(_ name: Chain.Name, in table: Table, jump: Verdict.Step?) -> Bool {
        guard let chain = table.chain(name) else { return false }
        for rule in chain.rules {
            let step = Verdict.Step(table: table.name, chain: name, rule: rule)
            let obstacle = rule.matches.first { !$0.matches(packet) }
            visits.append(Verdict.Visit(step: step, obstacle: obstacle))
            guard obstacle == nil else { continue }
            switch rule.action {
            case .jump(let target):
                if follow(target, in: table, jump: step) { return true }
            case .return:
                note(step)
                return false
            case .accept:
                note(step)
                return true
            case .drop: return end(.dropped, by: jump ?? step)
            case .redirect(let port): return end(.redirected(toPort: port), by: jump ?? step)
            case .transparentProxy(let port, let mark):
                guard proxyListens else { continue }
                packet.mark = mark
                return end(.takenOver(byPort: port), by: jump ?? step)
            case .setMark(let mark): packet.mark = mark
            case .saveMark: packet.connectionMark = packet.mark
            case .restoreMark: packet.mark = packet.connectionMark
            case .setZone: continue
            }
        }
        return false
    }

    private mutating func end(_ outcome: Verdict.Outcome, by step: Verdict.Step) -> Bool {
        self.outcome = outcome
        decision = step
        return true
    }

    /// Remembers who let the packet go, unless it has been decided already.
    private mutating func note(_ step: Verdict.Step) {
        guard outcome == .passes else { return }
        decision = step
    }
}

extension Packet {
    /// What the kernel's `redirect` does to a packet on its way out (`net/netfilter/nf_nat_redirect.c`).
    fileprivate mutating func redirect(to port: UInt16) {
        destination =
            destination.family == .ipv4 ? AddressRange.loopbackIPv4.address : AddressRange.loopbackIPv6.address
        destinationPort = port
    }
}
