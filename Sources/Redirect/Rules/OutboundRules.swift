extension RedirectRules {
    /// What happens to connections that leave the pod.
    mutating func addOutbound() {
        add(.nat, .output, [], .jump(.istioOutput), .everyOutboundConnection)
        addExcludedOutboundPorts()
        for family in families {
            let matches: [Match] = [.source(passthrough(family)), .outputInterface(Self.loopback)]
            add(.nat, .istioOutput, matches, .return, .passthroughSource)
        }
        for user in plan.proxyUsers {
            // Upstream frees port 53 here for users only; groups keep the plain rule (P 4.2, G1).
            let ports = capturesDNS ? [Self.dnsPort, plan.ports.tunnel] : [plan.ports.tunnel]
            addProxy(.user(user), others: .userOutside(user), exceptPorts: ports)
        }
        for group in plan.proxyGroups {
            addProxy(.group(group), others: .groupOutside([group]), exceptPorts: [plan.ports.tunnel])
        }
        addOwnerGroups()
        addDNS()
        addDestinations()
    }

    private mutating func addExcludedOutboundPorts() {
        guard !plan.excludedOutboundPorts.isEmpty else { return }
        let ports = Match.destinationPort(MatchList("excluded-outbound-ports", plan.excludedOutboundPorts))
        let tcp: [Match] = [.transport(.tcp), ports]
        add(.nat, .istioOutput, tcp, .return, .excludedOutboundPort, expandsWithNext: true)
        add(.nat, .istioOutput, [.transport(.udp), ports], .return, .excludedOutboundPort)
    }

    /// The traffic of the proxy, and what of the application's stays in the pod.
    private mutating func addProxy(_ proxy: Match, others: Match, exceptPorts: [UInt16]) {
        let loopback = Match.outputInterface(Self.loopback)
        for family in families {
            let matches: [Match] = [
                .destinationOutside(self.loopback(family)), loopback, .transport(.tcp),
                .destinationPortOutside(exceptPorts), proxy,
            ]
            add(.nat, .istioOutput, matches, .jump(.istioInRedirect), .proxyCallsItself)
        }
        if !includesLoopback {
            let notDNS: [Match] = [.transport(.tcp), .destinationPortOutside([Self.dnsPort])]
            let matches = [loopback] + (capturesDNS ? notDNS : []) + [others]
            add(.nat, .istioOutput, matches, .return, .applicationOnLoopback)
        }
        add(.nat, .istioOutput, [proxy], .return, .proxyTraffic)
    }

    private mutating func addOwnerGroups() {
        switch plan.ownerGroups {
        case .all(let excluded):
            for group in excluded {
                add(.nat, .istioOutput, [.group(group)], .return, .ownerGroupNotCaptured)
            }
        case .only(let included):
            // No group at all means that nobody is captured.
            let matches: [Match] = included.isEmpty ? [] : [.groupOutside(included)]
            add(.nat, .istioOutput, matches, .return, .ownerGroupNotCaptured)
        }
    }

    private mutating func addDestinations() {
        for family in families {
            let here = MatchList(family == .ipv4 ? "loopback-v4" : "loopback-v6", [loopback(family)])
            add(.nat, .istioOutput, [.destination(here)], .return, .loopbackDestination)
        }
        for family in families {
            guard let ranges = list("excluded-outbound-ranges", plan.excludedOutboundRanges, family) else { continue }
            add(.nat, .istioOutput, [.destination(ranges)], .return, .excludedOutboundRange)
        }
        if !plan.includedOutboundPorts.isEmpty {
            let ports = Match.destinationPort(MatchList("included-outbound-ports", plan.includedOutboundPorts))
            add(.nat, .istioOutput, [.transport(.tcp), ports], .jump(.istioRedirect), .includedOutboundPort)
        }
        switch plan.outboundRanges {
        case .all: add(.nat, .istioOutput, [], .jump(.istioRedirect), .includedOutboundRange)
        case .only(let included):
            for family in families {
                guard let ranges = list("included-outbound-ranges", included, family) else { continue }
                add(.nat, .istioOutput, [.destination(ranges)], .jump(.istioRedirect), .includedOutboundRange)
            }
        }
    }

    /// Whether the user asked for loopback addresses to be redirected too.
    private var includesLoopback: Bool {
        guard case .only(let ranges) = plan.outboundRanges else { return false }
        return ranges.firstIndex { $0.address.isLoopback } != nil
    }
}

// MARK: - DNS

extension RedirectRules {
    static let dnsPort: UInt16 = 53

    /// Proxy and resolver.
    private static let proxyZone: UInt16 = 1

    /// Application and proxy.
    private static let applicationZone: UInt16 = 2

    /// Whether DNS requests are redirected; capture with no server to capture for is none.
    var capturesDNS: Bool {
        switch plan.dns {
        case .off: false
        case .all: true
        case .servers(let servers): !servers.isEmpty
        }
    }

    private mutating func addDNS() {
        guard capturesDNS else { return }
        switch plan.dns {
        case .off: return
        case .all:
            add(.nat, .istioOutput, [], .jump(.istioOutputDNS), .dnsToProxy)
            addDNSRedirect(to: [])
            addDNSOwnerZones()
            add(.raw, .prerouting, [], .jump(.istioInbound), .dnsZone)
            addDNSZones(destination: [], source: [])
        case .servers(let servers):
            addDNSOwnerZones()
            addDNS(to: servers.map { AddressRange($0) })
        }
    }

    private mutating func addDNS(to servers: [AddressRange]) {
        let lists = families.compactMap { list("dns-servers", servers, $0) }
        for servers in lists {
            add(.nat, .istioOutput, familyOnly(servers), .jump(.istioOutputDNS), .dnsToProxy)
        }
        for transport in TransportProtocol.allCases {
            for servers in lists { addDNSRedirect(transport, to: [.destination(servers)]) }
        }
        for servers in lists {
            add(.raw, .prerouting, familyOnly(servers), .jump(.istioInbound), .dnsZone)
            addDNSZones(destination: [.destination(servers)], source: [.source(servers)])
        }
    }

    /// A match for the family of `servers`, where the rules see more than that.
    private func familyOnly(_ servers: MatchList<AddressRange>) -> [Match] {
        families.count > 1 ? servers.values.prefix(1).map { .family($0.family) } : []
    }

    private mutating func addDNSRedirect(to destination: [Match]) {
        for transport in TransportProtocol.allCases { addDNSRedirect(transport, to: destination) }
    }

    private mutating func addDNSRedirect(_ transport: TransportProtocol, to destination: [Match]) {
        let matches = destination + [.transport(transport), Self.port(Self.dnsPort)]
        add(.nat, .istioOutputDNS, matches, .redirect(plan.ports.dns), .dnsToProxy)
    }

    private mutating func addDNSOwnerZones() {
        add(.raw, .output, [], .jump(.istioOutputDNS), .dnsZone)
        let owners = plan.proxyUsers.map { Match.user($0) } + plan.proxyGroups.map { Match.group($0) }
        for owner in owners {
            let asks: [Match] = [.transport(.udp), Self.port(Self.dnsPort), owner]
            let answers: [Match] = [.transport(.udp), .sourcePort(plan.ports.dns), owner]
            add(.raw, .istioOutputDNS, asks, .setZone(Self.proxyZone), .dnsZone)
            add(.raw, .istioOutputDNS, answers, .setZone(Self.applicationZone), .dnsZone)
        }
    }

    private mutating func addDNSZones(destination: [Match], source: [Match]) {
        let asks = destination + [.transport(.udp), Self.port(Self.dnsPort)]
        let answers = source + [.transport(.udp), .sourcePort(Self.dnsPort)]
        add(.raw, .istioOutputDNS, asks, .setZone(Self.applicationZone), .dnsZone)
        add(.raw, .istioInbound, answers, .setZone(Self.proxyZone), .dnsZone)
    }
}
