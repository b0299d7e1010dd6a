import ArgumentParser
import Redirect

/// The flags that have a say in the plan; names and letters are those of `RedirectFlag`.
struct RedirectionOptions: ParsableArguments {
    @Option(name: .of(.outboundPort), help: .of(.outboundPort, "Port of the proxy for connections that go out."))
    var outboundPort: String?

    @Option(name: .of(.inboundPort), help: .of(.inboundPort, "Port of the proxy for connections that come in."))
    var inboundPort: String?

    @Option(name: .of(.tunnelPort), help: .of(.tunnelPort, "Port for mutual TLS tunnels, which is not redirected."))
    var tunnelPort: String?

    @Option(name: .of(.proxyUsers), help: .of(.proxyUsers, "Users of the proxy, ids or names; by default ENVOY_USER."))
    var proxyUsers: String?

    @Option(name: .of(.proxyGroups), help: .of(.proxyGroups, "Groups of the proxy; by default the ids of its users."))
    var proxyGroups: String?

    @Option(name: .of(.interceptionMode), help: .of(.interceptionMode, "REDIRECT or TPROXY, for what comes in."))
    var interceptionMode: String?

    @Option(name: .of(.includeInboundPorts), help: .of(.includeInboundPorts, "Ports to redirect in; * for all."))
    var includeInboundPorts: String?

    @Option(name: .of(.excludeInboundPorts), help: .of(.excludeInboundPorts, "Of all ports in, those to leave alone."))
    var excludeInboundPorts: String?

    @Option(name: .of(.excludeInterfaces), help: .of(.excludeInterfaces, "Interfaces to leave alone, both ways."))
    var excludeInterfaces: String?

    @Option(
        name: .of(.includeOutboundIPRanges),
        help: .of(.includeOutboundIPRanges, "Ranges to redirect out; * for all.")
    )
    var includeOutboundIPRanges: String?

    @Option(name: .of(.excludeOutboundIPRanges), help: .of(.excludeOutboundIPRanges, "Ranges to leave alone."))
    var excludeOutboundIPRanges: String?

    @Option(
        name: .of(.includeOutboundPorts),
        help: .of(.includeOutboundPorts, "Ports to redirect out, to whatever address.")
    )
    var includeOutboundPorts: String?

    @Option(name: .of(.excludeOutboundPorts), help: .of(.excludeOutboundPorts, "Ports out to leave alone."))
    var excludeOutboundPorts: String?

    @Option(
        name: .of(.virtualInterfaces),
        help: .of(.virtualInterfaces, "Interfaces of virtual machines, from where traffic goes out.")
    )
    var virtualInterfaces: String?

    @Option(name: .of(.mark), help: .of(.mark, "Mark of TPROXY."))
    var mark: String?

    @Option(name: .of(.routeTable), help: .of(.routeTable, "Routing table of TPROXY."))
    var routeTable: String?

    @Option(
        name: .of(.redirectDNS),
        help: .of(.redirectDNS, "Redirect DNS to the servers of /etc/resolv.conf.")
    )
    var redirectDNS: SwitchValue?

    @Option(
        name: .of(.captureAllDNS),
        help: .of(.captureAllDNS, "With --redirect-dns: to whatever server.")
    )
    var captureAllDNS: SwitchValue?

    @Option(
        name: .of(.dropInvalid),
        help: .of(.dropInvalid, "Drop packets that connection tracking calls invalid.")
    )
    var dropInvalid: SwitchValue?

    @Option(
        name: .of(.dualStack),
        help: .of(.dualStack, "Redirect IPv6 of a pod that has both families.")
    )
    var dualStack: SwitchValue?

    /// What was typed.
    var arguments: [RedirectFlag: String] {
        let typed: [(RedirectFlag, String?)] = [
            (.outboundPort, outboundPort), (.inboundPort, inboundPort), (.tunnelPort, tunnelPort),
            (.proxyUsers, proxyUsers), (.proxyGroups, proxyGroups), (.interceptionMode, interceptionMode),
            (.includeInboundPorts, includeInboundPorts), (.excludeInboundPorts, excludeInboundPorts),
            (.excludeInterfaces, excludeInterfaces), (.includeOutboundIPRanges, includeOutboundIPRanges),
            (.excludeOutboundIPRanges, excludeOutboundIPRanges), (.includeOutboundPorts, includeOutboundPorts),
            (.excludeOutboundPorts, excludeOutboundPorts), (.virtualInterfaces, virtualInterfaces),
            (.mark, mark), (.routeTable, routeTable), (.redirectDNS, redirectDNS?.description),
            (.captureAllDNS, captureAllDNS?.description), (.dropInvalid, dropInvalid?.description),
            (.dualStack, dualStack?.description),
        ]
        return Dictionary(uniqueKeysWithValues: typed.compactMap { flag, value in value.map { (flag, $0) } })
    }
}

extension NameSpecification {
    fileprivate static func of(_ flag: RedirectFlag) -> NameSpecification {
        var elements: [Element] = [.customLong(flag.rawValue)]
        // As upstream's: `-p15001`.
        if let letter = flag.short { elements.append(.customShort(letter, allowingJoined: true)) }
        return NameSpecification(elements)
    }
}

extension ArgumentHelp {
    /// What a flag is for, with the variables and the default that stand in for it.
    fileprivate static func of(_ flag: RedirectFlag, _ text: String) -> ArgumentHelp {
        var notes: [String] = []
        if !flag.variables.isEmpty { notes.append(flag.variables.joined(separator: " or ")) }
        if !flag.defaultValue.isEmpty { notes.append("default: \(flag.defaultValue)") }
        return ArgumentHelp(
            "\(text) (\(notes.joined(separator: "; ")))",
            valueName: flag.form == .boolean ? SwitchValue.name : "value"
        )
    }
}
