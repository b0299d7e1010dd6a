/// A pod annotation that has a say in redirection.
///
/// There is no other definition of any of them. The cases are in the order in which a pod's annotations
/// are read, which decides about which of several bad values is reported.
package enum Annotation: String, CaseIterable, Sendable {
    case inject = "sidecar.istio.io/inject"
    case status = "sidecar.istio.io/status"
    case interceptionMode = "sidecar.istio.io/interceptionMode"
    case includeOutboundIPRanges = "traffic.sidecar.istio.io/includeOutboundIPRanges"
    case excludeOutboundIPRanges = "traffic.sidecar.istio.io/excludeOutboundIPRanges"
    case excludeInboundPorts = "traffic.sidecar.istio.io/excludeInboundPorts"
    case includeInboundPorts = "traffic.sidecar.istio.io/includeInboundPorts"
    case excludeOutboundPorts = "traffic.sidecar.istio.io/excludeOutboundPorts"
    case includeOutboundPorts = "traffic.sidecar.istio.io/includeOutboundPorts"
    case excludeInterfaces = "traffic.sidecar.istio.io/excludeInterfaces"
    case rerouteVirtualInterfaces = "istio.io/reroute-virtual-interfaces"
    case kubevirtInterfaces = "traffic.sidecar.istio.io/kubevirtInterfaces"
    case statusPort = "status.sidecar.istio.io/port"

    /// The key in the pod's metadata.
    package var name: String { rawValue }

    /// What the annotation says, in a few words.
    package var summary: String {
        switch self {
        case .inject: "Whether the pod has a sidecar"
        case .status: "Written by the injector"
        case .interceptionMode: "How inbound connections reach the proxy"
        case .includeOutboundIPRanges: "Destinations that are redirected"
        case .excludeOutboundIPRanges: "Destinations that are not redirected"
        case .excludeInboundPorts: "Ports of the pod that are not redirected"
        case .includeInboundPorts: "Ports of the pod that are redirected"
        case .excludeOutboundPorts: "Destination ports that are not redirected"
        case .includeOutboundPorts: "Destination ports that are redirected whatever the address"
        case .excludeInterfaces: "Interfaces that are left alone"
        case .rerouteVirtualInterfaces: "Interfaces of virtual machines"
        case .kubevirtInterfaces: "Old name of `istio.io/reroute-virtual-interfaces`"
        case .statusPort: "The health port of the sidecar"
        }
    }

    /// The value that stands in for an absent annotation, or nil where absence is a meaning of its own.
    package var defaultValue: String? {
        switch self {
        case .inject, .status, .statusPort: nil
        case .interceptionMode: RedirectPlan.InterceptionMode.redirect.rawValue
        case .includeOutboundIPRanges, .includeInboundPorts: "*"
        case .excludeInboundPorts, .excludeOutboundPorts: "15020"
        case .excludeOutboundIPRanges, .includeOutboundPorts: ""
        case .excludeInterfaces, .rerouteVirtualInterfaces, .kubevirtInterfaces: ""
        }
    }

    package var form: ValueForm {
        switch self {
        case .inject: .boolean
        case .status, .statusPort: .anything
        case .interceptionMode: .interceptionMode
        case .includeOutboundIPRanges: .rangesOrAll
        case .excludeOutboundIPRanges: .ranges
        case .includeInboundPorts: .portsOrAll
        case .excludeInboundPorts, .excludeOutboundPorts, .includeOutboundPorts: .ports
        case .excludeInterfaces, .rerouteVirtualInterfaces, .kubevirtInterfaces: .interfaces
        }
    }

    /// What it does to packets, and how it gets along with the others.
    package var effect: String {
        switch self {
        case .inject: "`false` skips the pod. A label of the same name wins; a value that is no boolean has no effect"
        case .status: "Its presence, with any value, makes the pod one of the mesh; without it the pod is skipped"
        case .interceptionMode:
            "`REDIRECT` rewrites the destination, `TPROXY` keeps source and destination, `NONE` skips the pod"
        case .includeOutboundIPRanges: "Empty: no destination is redirected because of its address"
        case .excludeOutboundIPRanges: "Wins over `includeOutboundIPRanges` and `includeOutboundPorts`"
        case .excludeInboundPorts:
            "TCP. 15020, 15021 and 15090 are always added. No effect beside a list in `includeInboundPorts`"
        case .includeInboundPorts: "TCP. Empty: nothing is redirected on the way in"
        case .excludeOutboundPorts: "TCP and UDP. Wins over everything that includes"
        case .includeOutboundPorts: "TCP, also outside `includeOutboundIPRanges`. Both excluding annotations win"
        case .excludeInterfaces: "Nothing that arrives or leaves there is redirected"
        case .rerouteVirtualInterfaces: "What arrives there is redirected as if the pod itself had sent it"
        case .kubevirtInterfaces: "Read only where the new name is absent"
        case .statusPort: "None here: the injector adds the port to `excludeInboundPorts`"
        }
    }
}

/// What a value may look like.
package enum ValueForm: Equatable, Sendable {
    case boolean
    case anything
    case interceptionMode
    case interceptionModeFlag
    case ports
    case portsOrAll
    case ranges
    case rangesOrAll
    case interfaces

    /// A port that something listens on, so never 0.
    case listeningPort
    case number
    case users
    case groups
    case groupsOrAll
    case loopbackRange

    /// Completes "expected ...".
    package var expectation: String {
        switch self {
        case .boolean: "true or false (or 1, t, T, TRUE, True, 0, f, F, FALSE, False)"
        case .anything: "any value"
        case .interceptionMode: "REDIRECT, TPROXY or NONE"
        case .interceptionModeFlag: "REDIRECT, TPROXY or nothing"
        case .ports: "a comma-separated list of ports 0-65535"
        case .portsOrAll: "* or a comma-separated list of ports 0-65535"
        case .ranges: "a comma-separated list of address ranges such as 10.0.0.0/8 or fd00::/8, without blanks"
        case .rangesOrAll:
            "* or a comma-separated list of address ranges such as 10.0.0.0/8 or fd00::/8, without blanks"
        case .interfaces:
            "a comma-separated list of interface names: a letter, then up to 14 letters, digits, '_', '.' or '-'"
        case .listeningPort: "a port 1-65535"
        case .number: "a number 0-4294967295"
        case .users: "a comma-separated list of user ids or names, at least one"
        case .groups: "a comma-separated list of group ids or names"
        case .groupsOrAll: "* or a comma-separated list of at most 64 group ids or names"
        case .loopbackRange: "a range within 127.0.0.0/8, such as 127.0.0.1/32"
        }
    }

    /// Completes "is not ...", about one element of a list or about the whole value.
    var element: String {
        switch self {
        case .boolean: "a boolean"
        case .anything: "a value"
        case .interceptionMode, .interceptionModeFlag: "an interception mode"
        case .ports, .portsOrAll, .listeningPort: "a port"
        case .ranges, .rangesOrAll: "an address range"
        case .interfaces: "an interface name"
        case .number: "a number"
        case .users: "a user"
        case .groups, .groupsOrAll: "a group"
        case .loopbackRange: "a range of IPv4 loopback addresses"
        }
    }
}
