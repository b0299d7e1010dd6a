package import Redirect

/// Which connections are worth a try for one plan: at least one for each thing that it decides about.
package struct AttemptList: Sendable {
    package var plan: RedirectPlan?
    package var podAddresses: [IPAddress]
    package var gateways: [IPAddress]

    /// Addresses that no host outside can have: the pod's own network.
    package var podNetworks: [AddressRange]
    package var applicationPort: UInt16
    package var proxyUser: UInt32

    /// `--from-uid`.
    package var extraUser: UInt32?

    package init(
        plan: RedirectPlan?,
        podAddresses: [IPAddress],
        gateways: [IPAddress],
        podNetworks: [AddressRange],
        applicationPort: UInt16,
        proxyUser: UInt32,
        extraUser: UInt32? = nil
    ) {
        self.plan = plan
        self.podAddresses = podAddresses
        self.gateways = gateways
        self.podNetworks = podNetworks
        self.applicationPort = applicationPort
        self.proxyUser = proxyUser
        self.extraUser = extraUser
    }

    /// Neither root nor a proxy's usual user.
    package static let applicationUser: UInt32 = 1_000

    /// All attempts, in the order in which they are shown.
    package var attempts: [Attempt] { podAddresses.flatMap { attempts(pod: $0) } }

    private var application: Attempt.Origin {
        .process(name: "application", user: Self.applicationUser, group: Self.applicationUser)
    }

    private var proxy: Attempt.Origin {
        .process(
            name: "proxy",
            user: plan?.proxyUsers.first ?? proxyUser,
            group: plan?.proxyGroups.first ?? proxyUser
        )
    }

    private func attempts(pod: IPAddress) -> [Attempt] {
        let family = pod.family
        let somewhere = Self.documentationHost(family)
        var result = [
            leaving("application out", application, pod, somewhere, 80),
            leaving("proxy out", proxy, pod, somewhere, 80),
            arriving("inbound", pod, applicationPort),
        ]
        if let extraUser {
            let origin = Attempt.Origin.process(name: "process", user: extraUser, group: extraUser)
            result.append(leaving("--from-uid \(extraUser) out", origin, pod, somewhere, 80))
        }
        result += outboundSettings(pod, somewhere)
        result += inboundSettings(pod)

        let loopback = Self.loopback(family)
        result += [
            local("loopback", application, from: loopback, to: loopback),
            local("application to own address", application, from: pod, to: pod),
            local("proxy to own address", proxy, from: pod, to: pod),
            local("proxy to application", proxy, from: Self.passthrough(family), to: pod),
        ]
        let server = Self.nameServer(family)
        result.append(leaving("DNS over UDP", application, pod, server, 53, .udp))
        result.append(leaving("DNS over TCP", application, pod, server, 53))
        result.append(leaving("DNS of the proxy", proxy, pod, server, 53, .udp))
        return result
    }

    private func outboundSettings(_ pod: IPAddress, _ somewhere: IPAddress) -> [Attempt] {
        guard let plan else { return [] }
        var result: [Attempt] = []
        for port in plan.excludedOutboundPorts.prefix(Self.examples) {
            result.append(leaving("excluded outbound port", application, pod, somewhere, port))
        }
        for port in plan.includedOutboundPorts.prefix(Self.examples) {
            result.append(leaving("included outbound port", application, pod, somewhere, port))
        }
        for host in hosts(in: plan.excludedOutboundRanges, pod.family) {
            result.append(leaving("excluded range", application, pod, host, 80))
        }
        if case .only(let ranges) = plan.outboundRanges {
            for host in hosts(in: ranges, pod.family) {
                result.append(leaving("included range", application, pod, host, 80))
            }
        }
        return result
    }

    private func inboundSettings(_ pod: IPAddress) -> [Attempt] {
        // At these the sidecar itself listens.
        let taken =
            plan.map {
                [$0.ports.inbound, $0.ports.outbound, $0.ports.dns, EnvoyConfiguration.administrationPort]
            } ?? []
        switch plan?.inboundPorts {
        case .all(let excluded):
            let ports = excluded.filter { !taken.contains($0) }.prefix(Self.examples)
            return ports.map { arriving("excluded inbound port", pod, $0) }
        case .only(let included):
            let ports = included.filter { $0 != applicationPort && !taken.contains($0) }.prefix(Self.examples)
            return ports.map { arriving("included inbound port", pod, $0) }
        case nil: return []
        }
    }

    private func leaving(
        _ title: String,
        _ origin: Attempt.Origin,
        _ source: IPAddress,
        _ destination: IPAddress,
        _ port: UInt16,
        _ transport: TransportProtocol = .tcp
    ) -> Attempt {
        Attempt(
            title: title,
            origin: origin,
            transport: transport,
            source: source,
            destination: destination,
            port: port,
            target: .outside,
            interface: "eth0"
        )
    }

    private func arriving(_ title: String, _ pod: IPAddress, _ port: UInt16) -> Attempt {
        Attempt(
            title: title,
            origin: .outside,
            source: gateways.first { $0.family == pod.family } ?? Self.documentationHost(pod.family),
            destination: pod,
            port: port,
            target: .application,
            interface: "eth0"
        )
    }

    private func local(_ title: String, _ origin: Attempt.Origin, from: IPAddress, to: IPAddress) -> Attempt {
        Attempt(
            title: title,
            origin: origin,
            source: from,
            destination: to,
            port: applicationPort,
            target: .application,
            interface: "lo"
        )
    }

    /// How many values of one setting are tried: the demo is to be read, and the test suites try them all.
    private static let examples = 2

    /// An address in each of the first ranges that can be somebody outside.
    private func hosts(in ranges: [AddressRange], _ family: AddressFamily) -> [IPAddress] {
        var hosts: [IPAddress] = []
        for range in ranges where range.family == family && hosts.count < Self.examples {
            let offsets: [UInt128] = [10, 1, 0, 65_546]
            let host = offsets.lazy
                .map { IPAddress(family, bits: range.first.bits &+ $0) }
                .first { range.contains($0) && isPossible($0) }
            if let host { hosts.append(host) }
        }
        return hosts
    }

    private func isPossible(_ address: IPAddress) -> Bool {
        let isMulticast = address.family == .ipv4 ? address.bits >> 28 >= 0xE : address.bits >> 120 == 0xFF
        let isUnspecified = address.family == .ipv4 ? address.bits >> 24 == 0 : address.bits == 0
        return !isMulticast && !isUnspecified && !address.isLoopback && !address.isLinkLocal
            && !podNetworks.contains { $0.contains(address) }
    }

    /// A host for examples: RFC 5737 (203.0.113.0/24) and RFC 3849 (2001:db8::/32).
    package static func documentationHost(_ family: AddressFamily) -> IPAddress {
        switch family {
        case .ipv4: IPAddress(.ipv4, bits: 0xCB00_710A)
        case .ipv6: IPAddress(.ipv6, bits: 0x2001_0DB8 << 96 | 0x10)
        }
    }

    /// Where a cluster's DNS often is.
    package static func nameServer(_ family: AddressFamily) -> IPAddress {
        switch family {
        case .ipv4: IPAddress(.ipv4, bits: 0x0A60_000A)
        case .ipv6: IPAddress(.ipv6, bits: 0xFD00_0010_0096 << 80 | 0x0A)
        }
    }

    private static func loopback(_ family: AddressFamily) -> IPAddress {
        family == .ipv4 ? AddressRange.loopbackIPv4.address : AddressRange.loopbackIPv6.address
    }

    private static func passthrough(_ family: AddressFamily) -> IPAddress {
        family == .ipv4 ? AddressRange.passthroughIPv4.address : AddressRange.passthroughIPv6.address
    }
}
