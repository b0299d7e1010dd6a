/// All rules of a pod, made from its plan once.
///
/// Everything else is a rendering of this value: netlink messages, the text of `nft` and of
/// `iptables-restore`, and the walk of one packet through it.
package struct RuleSet: Equatable, Sendable {
    /// In the order nat, mangle, raw; a table without a rule is left out.
    package private(set) var tables: [Table]

    /// The families whose packets the rules look at; those of another are let go.
    package let families: [AddressFamily]

    /// No rules at all: the pod is left alone.
    package static let none = RuleSet(families: [])

    init(families: [AddressFamily]) {
        self.families = families
        tables = []
    }

    package func table(_ name: Table.Name) -> Table? {
        tables.first { $0.name == name }
    }

    /// Adds a rule at the end of a chain, which is made when it is not there yet.
    mutating func append(_ rule: Rule, to chain: Chain.Name, in table: Table.Name) {
        let index = tableIndex(table)
        tables[index].append(rule, to: chain)
    }

    private mutating func tableIndex(_ name: Table.Name) -> Int {
        if let index = tables.firstIndex(where: { $0.name == name }) { return index }
        let position = tables.firstIndex { $0.name.order > name.order } ?? tables.count
        tables.insert(Table(name: name), at: position)
        return position
    }
}

/// The rules that one stage of the kernel looks at.
package struct Table: Equatable, Sendable {
    package let name: Name

    /// Base chains first, then in the order of ``Chain/Name``.
    package private(set) var chains: [Chain] = []

    init(name: Name) { self.name = name }

    package func chain(_ name: Chain.Name) -> Chain? {
        chains.first { $0.name == name }
    }

    mutating func append(_ rule: Rule, to chain: Chain.Name) {
        let index = chainIndex(chain)
        chains[index].rules.append(rule)
        if case .jump(let target) = rule.action { _ = chainIndex(target) }
    }

    private mutating func chainIndex(_ name: Chain.Name) -> Int {
        if let index = chains.firstIndex(where: { $0.name == name }) { return index }
        let position = chains.firstIndex { $0.name.order > name.order } ?? chains.count
        chains.insert(Chain(name: name), at: position)
        return position
    }

    package enum Name: String, CaseIterable, Hashable, Sendable {
        case nat
        case mangle
        case raw

        /// The nf_tables table, which upstream calls so too.
        package var nftablesName: String { "istio-proxy-\(rawValue)" }

        var order: Int {
            switch self {
            case .nat: 0
            case .mangle: 1
            case .raw: 2
            }
        }

        /// When the kernel looks at the table: `<linux/netfilter_ipv4.h>`, `enum nf_ip_hook_priorities`.
        package var priority: Int32 {
            switch self {
            case .nat: -100
            case .mangle: -150
            case .raw: -300
            }
        }
    }
}

/// Rules that are looked at one after the other.
package struct Chain: Equatable, Sendable {
    package let name: Name
    package internal(set) var rules: [Rule] = []

    init(name: Name) { self.name = name }

    /// The value is the name in nf_tables, where upstream uses the same.
    package enum Name: String, CaseIterable, Hashable, Sendable {
        case prerouting
        case output
        case istioInbound = "istio-inbound"
        case istioRedirect = "istio-redirect"
        case istioInRedirect = "istio-in-redirect"
        case istioOutput = "istio-output"
        case istioOutputDNS = "istio-output-dns"
        case istioDivert = "istio-divert"
        case istioTProxy = "istio-tproxy"
        case istioDrop = "istio-drop"

        /// Whether packets arrive here from the kernel and not from another chain.
        package var isBase: Bool { self == .prerouting || self == .output }

        /// `PREROUTING`, `ISTIO_OUTPUT_DNS`.
        package var iptablesName: String {
            String(decoding: rawValue.uppercased().utf8.map { $0 == 0x2D ? 0x5F : $0 }, as: UTF8.self)
        }

        var order: Int {
            var order = 0
            for name in Self.allCases {
                if name == self { return order }
                order += 1
            }
            return order
        }
    }
}
