extension Rule {
    /// Why a rule is there.
    ///
    /// The value is what `trace`, `--json` and `docs/rules.md` call it.
    package enum Reason: String, CaseIterable, Hashable, Sendable {
        case familyNotRedirected = "family-not-redirected"
        case excludedInterface = "excluded-interface"
        case virtualInterfaceIsNotInbound = "virtual-interface-is-not-inbound"
        case virtualInterfaceOutbound = "virtual-interface-outbound"
        case invalidPacket = "invalid-packet"
        case tunnelPort = "tunnel-port"
        case outboundToProxy = "outbound-to-proxy"
        case inboundToProxy = "inbound-to-proxy"
        case everyInboundConnection = "every-inbound-connection"
        case excludedInboundPort = "excluded-inbound-port"
        case includedInboundPort = "included-inbound-port"
        case everyOutboundConnection = "every-outbound-connection"
        case excludedOutboundPort = "excluded-outbound-port"
        case passthroughSource = "passthrough-source"
        case proxyCallsItself = "proxy-calls-itself"
        case applicationOnLoopback = "application-on-loopback"
        case proxyTraffic = "proxy-traffic"
        case ownerGroupNotCaptured = "owner-group-not-captured"
        case dnsToProxy = "dns-to-proxy"
        case dnsZone = "dns-zone"
        case loopbackDestination = "loopback-destination"
        case excludedOutboundRange = "excluded-outbound-range"
        case includedOutboundPort = "included-outbound-port"
        case includedOutboundRange = "included-outbound-range"
        case knownConnection = "known-connection"
        case noTransparentListener = "no-transparent-listener"
        case transparentMark = "transparent-mark"

        /// Name and explanation, for a comment beside the rule.
        package var comment: String { "\(rawValue): \(explanation)" }

        /// One sentence for people.
        package var explanation: String {
            switch self {
            case .familyNotRedirected: "the pod's settings leave IPv6 alone"
            case .excludedInterface: "the interface is in excludeInterfaces"
            case .virtualInterfaceIsNotInbound: "what a virtual machine sends is not inbound traffic of the pod"
            case .virtualInterfaceOutbound: "what a virtual machine sends is outbound traffic"
            case .invalidPacket: "INVALID_DROP drops packets that belong to no connection"
            case .tunnelPort: "mutual TLS tunnels (HBONE) go to the proxy by themselves"
            case .outboundToProxy: "to the proxy's outbound listener"
            case .inboundToProxy: "to the proxy's inbound listener"
            case .everyInboundConnection: "TCP that arrives is looked at"
            case .excludedInboundPort: "the port is in excludeInboundPorts"
            case .includedInboundPort: "the port is in includeInboundPorts"
            case .everyOutboundConnection: "what leaves is looked at"
            case .excludedOutboundPort: "the port is in excludeOutboundPorts"
            case .passthroughSource: "the proxy speaks to the application from this address"
            case .proxyCallsItself: "the proxy called a service that is this pod: in through the front door"
            case .applicationOnLoopback: "the application speaks to its own pod"
            case .proxyTraffic: "the proxy's own traffic would loop"
            case .ownerGroupNotCaptured: "the process's group is not captured"
            case .dnsToProxy: "DNS capture is on"
            case .dnsZone: "both halves of a captured DNS request are tracked apart"
            case .loopbackDestination: "the destination is this host"
            case .excludedOutboundRange: "the destination is in excludeOutboundIPRanges"
            case .includedOutboundPort: "the port is in includeOutboundPorts"
            case .includedOutboundRange: "the destination is in includeOutboundIPRanges"
            case .knownConnection: "the connection has been handed to the proxy before"
            case .noTransparentListener: "nobody listens on the proxy's inbound port"
            case .transparentMark: "TPROXY marks what belongs to the proxy"
            }
        }
    }
}
