extension RuleSet {
    /// The rules that make `plan` true.
    ///
    /// The order in each chain is upstream's, since it decides what a packet meets first.
    package init(_ plan: RedirectPlan) {
        var rules = RedirectRules(plan)
        rules.addInterfaces()
        rules.addInbound()
        rules.addOutbound()
        rules.addTransparentProxy()
        self = rules.result
    }
}

/// The rule set of one plan while it is being made.
struct RedirectRules {
    let plan: RedirectPlan
    private(set) var result: RuleSet

    init(_ plan: RedirectPlan) {
        self.plan = plan
        result = RuleSet(families: plan.redirectsIPv6 ? [.ipv4, .ipv6] : [.ipv4])
    }

    var families: [AddressFamily] { result.families }

    var isTransparent: Bool { plan.interceptionMode == .transparentProxy }

    /// The table that decides about connections to the pod.
    var inboundTable: Table.Name { isTransparent ? .mangle : .nat }

    static let loopback = MatchList("loopback-interface", ["lo"])

    mutating func add(
        _ table: Table.Name,
        _ chain: Chain.Name,
        _ matches: [Match],
        _ action: Action,
        _ reason: Rule.Reason,
        expandsWithNext: Bool = false
    ) {
        guardFamily(of: chain, in: table)
        result.append(Rule(matches, action, reason, expandsWithNext: expandsWithNext), to: chain, in: table)
    }

    /// Adds a rule that iptables does not need.
    mutating func addImplied(
        _ table: Table.Name,
        _ chain: Chain.Name,
        _ matches: [Match],
        _ action: Action,
        _ reason: Rule.Reason
    ) {
        result.append(Rule(matches, action, reason, isImpliedByIPTables: true), to: chain, in: table)
    }

    /// Lets IPv6 go at the door where it is not redirected.
    ///
    /// Our nf_tables tables see both families; iptables has no rules at all for the other one.
    private mutating func guardFamily(of chain: Chain.Name, in table: Table.Name) {
        guard chain.isBase, !plan.redirectsIPv6, result.table(table)?.chain(chain) == nil else { return }
        addImplied(table, chain, [.family(.ipv6)], .return, .familyNotRedirected)
    }

    /// The addresses that count as this host.
    func loopback(_ family: AddressFamily) -> AddressRange {
        switch family {
        case .ipv4: plan.loopbackRange
        case .ipv6: .loopbackIPv6
        }
    }

    /// From where the proxy speaks to the application.
    func passthrough(_ family: AddressFamily) -> MatchList<AddressRange> {
        switch family {
        case .ipv4: MatchList("passthrough-v4", [.passthroughIPv4])
        case .ipv6: MatchList("passthrough-v6", [.passthroughIPv6])
        }
    }

    /// Those of `ranges` that belong to `family`, as one list, or nil if there are none.
    func list(_ name: String, _ ranges: [AddressRange], _ family: AddressFamily) -> MatchList<AddressRange>? {
        let values = ranges.filter { $0.family == family }
        let suffix = family == .ipv4 ? "-v4" : "-v6"
        return values.isEmpty ? nil : MatchList(name + suffix, values)
    }

    static func port(_ port: UInt16) -> Match {
        .destinationPort(MatchList("port", [port]))
    }
}

// MARK: - Interfaces

extension RedirectRules {
    mutating func addInterfaces() {
        addVirtualInterfaces()
        if plan.dropsInvalid {
            if isTransparent { addExcludedInterfaces(in: .mangle) }
            add(.mangle, .prerouting, [.connectionState([.invalid])], .jump(.istioDrop), .invalidPacket)
            add(.mangle, .istioDrop, [], .drop, .invalidPacket)
        } else if isTransparent {
            addExcludedInterfaces(in: .mangle)
        }
        addExcludedInterfaces(in: .nat)
    }

    private mutating func addExcludedInterfaces(in table: Table.Name) {
        guard !plan.excludedInterfaces.isEmpty else { return }
        let interfaces = MatchList("excluded-interfaces", plan.excludedInterfaces)
        add(table, .prerouting, [.inputInterface(interfaces)], .return, .excludedInterface)
        add(table, .output, [.outputInterface(interfaces)], .return, .excludedInterface)
    }

    /// What virtual machines send arrives like inbound traffic and is outbound traffic.
    ///
    /// Upstream inserts each of these at the head of the chain, so the last one it makes comes first.
    private mutating func addVirtualInterfaces() {
        guard !plan.virtualInterfaces.isEmpty else { return }
        let interfaces = Match.inputInterface(MatchList("virtual-interfaces", plan.virtualInterfaces.reversed()))
        switch plan.outboundRanges {
        case .all:
            add(.nat, .prerouting, [interfaces], .jump(.istioRedirect), .virtualInterfaceOutbound)
        case .only(let ranges):
            for family in families {
                guard let ranges = list("included-outbound-ranges-of-machines", ranges.reversed(), family) else {
                    continue
                }
                let matches = [interfaces, .destination(ranges)]
                add(.nat, .prerouting, matches, .jump(.istioRedirect), .virtualInterfaceOutbound)
            }
        }
        add(.nat, .prerouting, [interfaces], .return, .virtualInterfaceIsNotInbound)
    }
}
