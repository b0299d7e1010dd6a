internal import LinuxKernel
package import Redirect

/// The ways in a namespace by which connections reach a proxy, whoever made them.
///
/// A way counts only if packets take it: a table that is empty or dormant, or chains that no hook leads to, are none.
package struct RedirectionEvidence: Equatable, Sendable {
    package let ways: [Way]

    /// One way of connections to a proxy.
    package struct Way: Hashable, Sendable {
        package let direction: Direction
        package let family: AddressFamily
        package let maker: RedirectionMaker

        package init(_ direction: Direction, _ family: AddressFamily, _ maker: RedirectionMaker) {
            self.direction = direction
            self.family = family
            self.maker = maker
        }
    }

    package enum Direction: String, Sendable {
        case inbound
        case outbound
    }

    package init(ways: [Way]) { self.ways = ways }

    /// Whether redirection of outbound traffic is in force.
    package var isInForce: Bool {
        for way in ways where way.direction == .outbound { return true }
        return false
    }

    /// Who made what is in force; the rules that come first decide where there are several.
    package var maker: RedirectionMaker? { ways.first?.maker }

    /// What `plan` needs and is not there: `inbound IPv6`.
    package func missing(from plan: RedirectPlan) -> [String] {
        var missing: [String] = []
        for family in AddressFamily.allCases where family == .ipv4 || plan.redirectsIPv6 {
            for direction in [Direction.outbound, .inbound] {
                if direction == .inbound, plan.inboundPorts == .none { continue }
                if has(direction, family) { continue }
                missing.append("\(direction.rawValue) \(family == .ipv4 ? "IPv4" : "IPv6")")
            }
        }
        return missing
    }

    private func has(_ direction: Direction, _ family: AddressFamily) -> Bool {
        for way in ways where way.direction == direction && way.family == family { return true }
        return false
    }
}

/// Who put redirection in force, and with what.
///
/// The value is stable: a word for logs.
package enum RedirectionMaker: String, Sendable, CaseIterable {
    /// nf_tables as only this project writes it.
    case ours = "nftables"

    /// nf_tables as upstream writes it: the same tables and chains.
    case upstreamNFTables = "upstream-nftables"

    // Our iptables back-end and upstream's make the same rules, rule by rule.
    case iptablesNFT = "iptables-nft"
    case iptablesLegacy = "iptables-legacy"
}

extension RedirectionEvidence {
    /// Looks at nf_tables, then at what `iptables-nft` and `iptables-legacy` have made.
    init(_ namespace: borrowing NetworkNamespace, _ socket: borrowing NFTablesSocket) throws(KernelError) {
        var ways: [Way] = []
        let own = [Table.Name.nat, .mangle].map { name in name.nftablesName }
        let tables = try socket.installedTables(named: own, includesSets: false)
        let maker = tables.isOurs ? RedirectionMaker.ours : .upstreamNFTables
        for family in AddressFamily.allCases { ways += Self.ways(in: tables, family, maker) }
        for family in AddressFamily.allCases {
            let nftables = try socket.installedTables(
                named: Self.iptablesNames,
                family: family == .ipv4 ? .ipv4 : .ipv6,
                includesSets: false
            )
            ways += Self.ways(in: nftables, family, .iptablesNFT)
            let legacy = try LegacyTableSocket.tables(
                named: Self.iptablesNames,
                InternetFamily(family),
                in: namespace
            )
            ways += Self.ways(in: legacy, family, .iptablesLegacy)
        }
        self.init(ways: ways)
    }

    private static let iptablesNames = [Table.Name.nat, .mangle].map { name in name.rawValue }

    private static func ways(
        in tables: [InstalledTable],
        _ family: AddressFamily,
        _ maker: RedirectionMaker
    ) -> [Way] {
        var ways: [Way] = []
        for table in tables where !table.isDormant {
            if table.leadsToProxy(.output, family) { ways.append(Way(.outbound, family, maker)) }
            if table.leadsToProxy(.prerouting, family) { ways.append(Way(.inbound, family, maker)) }
        }
        return ways
    }
}

extension [InstalledTable] {
    /// Whether they can only be of this project.
    ///
    /// Upstream has no named sets, and never lets IPv6 go at the door. Rules with neither, for IPv6 and without any
    /// list, are alike; those differ from no plan of ours, which the caller finds out.
    fileprivate var isOurs: Bool {
        for table in self {
            for chain in table.chains {
                for rule in chain.rules where rule.isGuard || rule.usesNamedSet { return true }
            }
        }
        return false
    }
}

extension InstalledTable {
    /// Whether packets at a hook can reach a rule that hands them to the proxy.
    fileprivate func leadsToProxy(_ hook: NFTablesBaseChain.Hook, _ family: AddressFamily) -> Bool {
        for chain in chains where chain.base?.hook == hook {
            // An output chain that is not nat cannot redirect; one of mangle only marks.
            if hook == .output, chain.base?.kind != .nat { continue }
            if family == .ipv6, chain.rules.first?.isGuard == true { continue }
            if leadsToProxy(from: chain.name) { return true }
        }
        return false
    }

    private func leadsToProxy(from start: String) -> Bool {
        var next = [start]
        var seen: Set<String> = [start]
        while let name = next.popLast() {
            for chain in chains where chain.name == name {
                for rule in chain.rules {
                    if rule.handsToProxy { return true }
                    switch rule.expressions.last {
                    case .verdict(.jump(let target)), .verdict(.goto(let target)):
                        if seen.insert(target).inserted { next.append(target) }
                    default: break
                    }
                    // Nothing comes past it.
                    if rule.endsChain { break }
                }
            }
        }
        return false
    }
}

extension InstalledRule {
    /// `meta nfproto ipv6 counter return`, at the door of a pod whose IPv6 is left alone.
    fileprivate var isGuard: Bool {
        expressions == .networkProtocol(.ipv6) + [.counter, .verdict(.return)]
    }

    fileprivate var usesNamedSet: Bool {
        for case .lookup(let set, _) in expressions where !set.hasPrefix("__") { return true }
        return false
    }

    fileprivate var handsToProxy: Bool {
        for expression in expressions {
            switch expression {
            case .redirect, .transparentProxy: return true
            case .other(let name): if Self.proxySteps.contains(name) { return true }
            default: continue
            }
        }
        return false
    }

    /// As other writers than ours spell it.
    private static let proxySteps = ["redir", "tproxy", "target REDIRECT", "target TPROXY"]

    /// Whether every packet ends here or goes back.
    fileprivate var endsChain: Bool {
        for expression in expressions {
            switch expression {
            case .counter, .verdict(.accept), .verdict(.drop), .verdict(.return), .verdict(.goto): continue
            default: return false
            }
        }
        return expressions.last.map { last in last != .counter } ?? false
    }
}
