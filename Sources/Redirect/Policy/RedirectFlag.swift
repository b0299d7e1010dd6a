/// A flag or variable of `istio-iptables` that has a say in the plan.
///
/// There is no other definition of any of them. Names, defaults and variables are upstream's.
package enum RedirectFlag: String, CaseIterable, Sendable {
    case outboundPort = "envoy-port"
    case inboundPort = "inbound-capture-port"
    case tunnelPort = "inbound-tunnel-port"
    case proxyUsers = "proxy-uid"
    case proxyGroups = "proxy-gid"
    case interceptionMode = "istio-inbound-interception-mode"
    case includeInboundPorts = "istio-inbound-ports"
    case excludeInboundPorts = "istio-local-exclude-ports"
    case excludeInterfaces = "istio-exclude-interfaces"
    case includeOutboundIPRanges = "istio-service-cidr"
    case excludeOutboundIPRanges = "istio-service-exclude-cidr"
    case includeOutboundPorts = "istio-outbound-ports"
    case excludeOutboundPorts = "istio-local-outbound-ports-exclude"
    case virtualInterfaces = "kube-virt-interfaces"
    case mark = "istio-inbound-tproxy-mark"
    case routeTable = "istio-inbound-tproxy-route-table"
    case redirectDNS = "redirect-dns"
    case captureAllDNS = "capture-all-dns"
    case dropInvalid = "drop-invalid"
    case dualStack = "dual-stack"

    // Variables without a flag.
    case ownerGroups = "ISTIO_OUTBOUND_OWNER_GROUPS"
    case excludeOwnerGroups = "ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE"
    case loopbackRange = "ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR"
    case proxyUserName = "ENVOY_USER"

    /// The long flag without its dashes, or nil for what is a variable only.
    package var flag: String? {
        switch self {
        case .ownerGroups, .excludeOwnerGroups, .loopbackRange, .proxyUserName: nil
        default: rawValue
        }
    }

    /// As it is typed: `--istio-inbound-ports`, or `ISTIO_OUTBOUND_OWNER_GROUPS`.
    package var name: String { flag.map { flag in "--" + flag } ?? rawValue }

    /// The letter of the short flag.
    package var short: Character? {
        switch self {
        case .outboundPort: "p"
        case .inboundPort: "z"
        case .tunnelPort: "e"
        case .proxyUsers: "u"
        case .proxyGroups: "g"
        case .interceptionMode: "m"
        case .includeInboundPorts: "b"
        case .excludeInboundPorts: "d"
        case .excludeInterfaces: "c"
        case .includeOutboundIPRanges: "i"
        case .excludeOutboundIPRanges: "x"
        case .includeOutboundPorts: "q"
        case .excludeOutboundPorts: "o"
        case .virtualInterfaces: "k"
        case .mark: "t"
        case .routeTable: "r"
        case .redirectDNS, .captureAllDNS, .dropInvalid, .dualStack: nil
        case .ownerGroups, .excludeOwnerGroups, .loopbackRange, .proxyUserName: nil
        }
    }

    /// The environment variables that stand in for an absent flag; the first one that is set wins.
    package var variables: [String] {
        switch self {
        // Upstream prints ENVOY_PORT and never reads it.
        case .outboundPort: []
        case .inboundPort: ["INBOUND_CAPTURE_PORT"]
        case .tunnelPort: ["INBOUND_TUNNEL_PORT"]
        case .proxyUsers: ["PROXY_UID"]
        case .proxyGroups: ["PROXY_GID"]
        case .interceptionMode: ["ISTIO_INBOUND_INTERCEPTION_MODE"]
        case .includeInboundPorts: ["ISTIO_INBOUND_PORTS"]
        case .excludeInboundPorts: ["ISTIO_LOCAL_EXCLUDE_PORTS"]
        case .excludeInterfaces: ["ISTIO_EXCLUDE_INTERFACES"]
        case .includeOutboundIPRanges: ["ISTIO_SERVICE_CIDR"]
        case .excludeOutboundIPRanges: ["ISTIO_SERVICE_EXCLUDE_CIDR"]
        case .includeOutboundPorts: ["ISTIO_OUTBOUND_PORTS"]
        case .excludeOutboundPorts: ["ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE"]
        case .virtualInterfaces: ["KUBE_VIRT_INTERFACES"]
        case .mark: ["ISTIO_INBOUND_TPROXY_MARK"]
        case .routeTable: ["ISTIO_INBOUND_TPROXY_ROUTE_TABLE"]
        case .redirectDNS: [ProxyVariable.dnsCapture.name, "REDIRECT_DNS"]
        case .captureAllDNS: ["CAPTURE_ALL_DNS"]
        case .dropInvalid: [ProxyVariable.invalidDrop.name, "DROP_INVALID"]
        case .dualStack: [ProxyVariable.dualStack.name, "DUAL_STACK"]
        case .ownerGroups, .excludeOwnerGroups, .loopbackRange, .proxyUserName: [rawValue]
        }
    }

    package var defaultValue: String {
        switch self {
        case .outboundPort: "15001"
        case .inboundPort: "15006"
        case .tunnelPort: "15008"
        case .mark: "1337"
        case .routeTable: "133"
        case .redirectDNS, .captureAllDNS, .dropInvalid, .dualStack: "false"
        case .ownerGroups: "*"
        case .loopbackRange: AddressRange.loopbackIPv4.description
        case .proxyUserName: "istio-proxy"
        default: ""
        }
    }

    package var form: ValueForm {
        switch self {
        case .outboundPort, .inboundPort, .tunnelPort: .listeningPort
        case .proxyUsers: .users
        case .proxyGroups, .excludeOwnerGroups: .groups
        case .interceptionMode: .interceptionModeFlag
        case .includeInboundPorts: .portsOrAll
        case .excludeInboundPorts, .includeOutboundPorts, .excludeOutboundPorts: .ports
        case .excludeInterfaces, .virtualInterfaces: .interfaces
        case .includeOutboundIPRanges: .rangesOrAll
        case .excludeOutboundIPRanges: .ranges
        case .mark, .routeTable: .number
        case .redirectDNS, .captureAllDNS, .dropInvalid, .dualStack: .boolean
        case .ownerGroups: .groupsOrAll
        case .loopbackRange: .loopbackRange
        case .proxyUserName: .anything
        }
    }
}
