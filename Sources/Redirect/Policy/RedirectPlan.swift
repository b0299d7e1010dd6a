/// Which of a pod's connections go through its proxy.
///
/// A plan is a value: it is made from a pod by policy, sent from agent to plugin, rendered into
/// rules, and compared with what the kernel has. It does nothing itself.
package struct RedirectPlan: Equatable, Sendable {
    /// The version of this type's JSON form, which both ends of the socket must know.
    package static let version = 1

    package var backend: Backend
    package var interceptionMode: InterceptionMode

    /// Whether IPv6 is redirected too; IPv4 always is.
    package var redirectsIPv6: Bool

    package var ports: ProxyPorts

    /// The proxy's own users and groups, whose connections are left alone: else they would loop.
    ///
    /// Never empty. A pod has one of each; `istio-iptables` takes lists.
    package var proxyUsers: [UInt32]
    package var proxyGroups: [UInt32]

    package var inboundPorts: InboundPorts
    package var outboundRanges: OutboundRanges

    /// Destinations that bypass the proxy.
    package var excludedOutboundRanges: [AddressRange]

    /// Destination ports, TCP and UDP, that bypass the proxy.
    package var excludedOutboundPorts: [UInt16]

    /// TCP destination ports that are redirected even outside `outboundRanges`.
    package var includedOutboundPorts: [UInt16]

    /// Interfaces whose traffic bypasses the proxy both ways.
    package var excludedInterfaces: [String]

    /// Interfaces of virtual machines, whose arriving traffic is outbound traffic.
    package var virtualInterfaces: [String]

    package var dns: DNSCapture

    /// Whether packets that connection tracking calls invalid are dropped on arrival.
    package var dropsInvalid: Bool

    /// Which groups' processes are redirected on the way out.
    package var ownerGroups: OwnerGroups

    /// The IPv4 addresses that count as loopback; for IPv6 that is always `::1`.
    package var loopbackRange: AddressRange

    package var transparentProxy: TransparentProxy

    /// The program that puts rules into the kernel.
    package enum Backend: String, CaseIterable, Sendable {
        /// nf_tables, spoken in this process.
        case nftables

        /// `iptables-restore` and `ip6tables-restore`.
        case iptables
    }

    /// What happens to a connection that arrives at the pod.
    package enum InterceptionMode: String, CaseIterable, Sendable {
        /// Its destination is rewritten.
        case redirect = "REDIRECT"

        /// It is handed to the proxy as it is (`IP_TRANSPARENT`).
        case transparentProxy = "TPROXY"
    }

    /// Where the proxy listens.
    package struct ProxyPorts: Equatable, Sendable {
        package var outbound: UInt16
        package var inbound: UInt16

        /// Mutual TLS tunnels (HBONE), which bypass redirection in.
        package var tunnel: UInt16
        package var dns: UInt16

        package init(
            outbound: UInt16 = 15_001,
            inbound: UInt16 = 15_006,
            tunnel: UInt16 = 15_008,
            dns: UInt16 = 15_053
        ) {
            self.outbound = outbound
            self.inbound = inbound
            self.tunnel = tunnel
            self.dns = dns
        }
    }

    /// Which TCP ports of the pod are redirected.
    package enum InboundPorts: Equatable, Sendable {
        case all(except: [UInt16])
        case only([UInt16])

        /// Nothing is redirected on the way in.
        package static let none = InboundPorts.only([])
    }

    /// Which destinations are redirected.
    package enum OutboundRanges: Equatable, Sendable {
        case all
        case only([AddressRange])
    }

    /// Which DNS requests of the application go to the proxy.
    package enum DNSCapture: Equatable, Sendable {
        case off
        case all

        /// Those to these servers, which is what `istio-iptables` reads from `/etc/resolv.conf`.
        case servers([IPAddress])
    }

    /// Which groups' processes are redirected on the way out.
    package enum OwnerGroups: Equatable, Sendable {
        case all(except: [UInt32])
        case only([UInt32])
    }

    /// The marks and the routing table of TPROXY.
    package struct TransparentProxy: Equatable, Sendable {
        /// Put on packets that belong to a connection to the proxy.
        package var mark: UInt32

        /// Routes marked packets to this host.
        package var routeTable: UInt32

        /// Put on packets that the proxy sends to its own pod; upstream fixes it.
        package static let outboundMark: UInt32 = 1338

        package init(mark: UInt32 = 1337, routeTable: UInt32 = 133) {
            self.mark = mark
            self.routeTable = routeTable
        }
    }

    /// The user and the group that the injector gives the proxy.
    package static let defaultProxyID: UInt32 = 1337

    /// A plan with upstream's defaults: everything in, everything out, no DNS.
    package init(
        backend: Backend = .nftables,
        interceptionMode: InterceptionMode = .redirect,
        redirectsIPv6: Bool = false,
        ports: ProxyPorts = ProxyPorts(),
        proxyUsers: [UInt32] = [RedirectPlan.defaultProxyID],
        proxyGroups: [UInt32] = [RedirectPlan.defaultProxyID],
        inboundPorts: InboundPorts = .all(except: []),
        outboundRanges: OutboundRanges = .all,
        excludedOutboundRanges: [AddressRange] = [],
        excludedOutboundPorts: [UInt16] = [],
        includedOutboundPorts: [UInt16] = [],
        excludedInterfaces: [String] = [],
        virtualInterfaces: [String] = [],
        dns: DNSCapture = .off,
        dropsInvalid: Bool = false,
        ownerGroups: OwnerGroups = .all(except: []),
        loopbackRange: AddressRange = .loopbackIPv4,
        transparentProxy: TransparentProxy = TransparentProxy()
    ) {
        self.backend = backend
        self.interceptionMode = interceptionMode
        self.redirectsIPv6 = redirectsIPv6
        self.ports = ports
        self.proxyUsers = proxyUsers
        self.proxyGroups = proxyGroups
        self.inboundPorts = inboundPorts
        self.outboundRanges = outboundRanges
        self.excludedOutboundRanges = excludedOutboundRanges
        self.excludedOutboundPorts = excludedOutboundPorts
        self.includedOutboundPorts = includedOutboundPorts
        self.excludedInterfaces = excludedInterfaces
        self.virtualInterfaces = virtualInterfaces
        self.dns = dns
        self.dropsInvalid = dropsInvalid
        self.ownerGroups = ownerGroups
        self.loopbackRange = loopbackRange
        self.transparentProxy = transparentProxy
    }
}

extension AddressRange {
    /// One address.
    package init(_ address: IPAddress) {
        self.init(address: address, checkedPrefixLength: address.family.bitWidth)
    }

    /// `127.0.0.1/32`.
    package static let loopbackIPv4 = AddressRange(IPAddress(.ipv4, bits: 0x7F00_0001))

    /// `::1/128`.
    package static let loopbackIPv6 = AddressRange(IPAddress(.ipv6, bits: 1))

    /// `127.0.0.6/32`, from where the proxy speaks to the application.
    package static let passthroughIPv4 = AddressRange(IPAddress(.ipv4, bits: 0x7F00_0006))

    /// `::6/128`, the same for IPv6.
    package static let passthroughIPv6 = AddressRange(IPAddress(.ipv6, bits: 6))
}
