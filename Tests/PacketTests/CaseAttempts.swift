import Redirect
import TestSupport

/// Who tries what in the sandbox of one recorded pod.
///
/// Everything that the pod's settings name is tried, with its neighbours, and the rest of the world once.
struct CaseAttempts {
    let network: SandboxNetwork
    let proxy: Packet.Owner
    private(set) var attempts: [ConnectionAttempt] = []

    private let plan: RedirectPlan
    private let owners: [Packet.Owner]

    static let application = Packet.Owner(user: 1_000, group: 1_000)
    static let root = Packet.Owner(user: 0, group: 0)

    /// Somewhere in the world, in no range that a recorded pod names but those of all addresses.
    static let elsewhere = ["203.0.113.9", "2600::9"].compactMap { IPAddress($0) }

    /// In each range that the recorded pods name, and beside them.
    static let outsideAddresses =
        [
            "10.0.0.5", "9.255.255.255", "11.0.0.0", "10.96.0.10", "10.95.255.255", "10.111.255.255", "10.112.0.0",
            "172.16.1.1", "172.16.1.0", "172.16.1.2", "192.168.0.7", "192.168.255.255", "192.169.0.0",
            "192.167.255.255", "2001:db8::7", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::", "2001:db7::7",
            "fd00::7", "fdff::7", "fe00::7", "fc00::7",
        ].compactMap { IPAddress($0) } + elsewhere

    init(_ recorded: RecordedCase, _ plan: RedirectPlan) {
        self.plan = plan
        let families: [AddressFamily] =
            switch recorded.family {
            case "v4": [.ipv4]
            case "v6": [.ipv6]
            default: [.ipv4, .ipv6]
            }
        var interfaces: [String] = []
        for name in plan.excludedInterfaces + plan.virtualInterfaces where !interfaces.contains(name) {
            interfaces.append(name)
        }
        network = SandboxNetwork(
            families: families,
            interfaces: interfaces,
            outsideAddresses: Self.outsideAddresses
        )
        let proxy = Packet.Owner(user: plan.proxyUsers[0], group: plan.proxyGroups[0])
        self.proxy = proxy
        var owners = [
            Self.application, Self.root, proxy,
            Packet.Owner(user: proxy.user, group: 1_000), Packet.Owner(user: 1_000, group: proxy.group),
            Packet.Owner(user: RedirectPlan.defaultProxyID, group: RedirectPlan.defaultProxyID),
        ]
        owners = owners.enumerated().filter { index, owner in !owners[..<index].contains(owner) }.map { $0.element }
        self.owners = owners
        for family in families {
            addDestinations(family)
            addPorts(family)
            addOwners(family)
            addDNS(family)
            addInbound(family)
            addInterfaces(family)
        }
        for family in AddressFamily.allCases { addLoopback(family, hasEth0: families.contains(family)) }
    }
}

// MARK: - Out

extension CaseAttempts {
    private mutating func addOut(
        _ destination: IPAddress,
        _ port: UInt16,
        _ owner: Packet.Owner = application,
        _ transport: TransportProtocol = .tcp
    ) {
        let source = SandboxNetwork.podAddress(destination.family)
        let endpoint = SocketEndpoint(destination, port: port)
        attempts.append(
            ConnectionAttempt(transport, from: .pod, source, to: .outside, endpoint, through: "eth0", owner: owner)
        )
    }

    private func elsewhere(_ family: AddressFamily) -> [IPAddress] {
        Self.elsewhere.filter { $0.family == family }
    }

    private mutating func addDestinations(_ family: AddressFamily) {
        let gateway = SandboxNetwork.peer(of: SandboxNetwork.podAddress(family))
        for address in network.outsideAddresses + [gateway] where address.family == family {
            addOut(address, 8_000)
        }
    }

    /// Every port of the settings with its neighbours, to a destination that may be in a range and to one elsewhere.
    private mutating func addPorts(_ family: AddressFamily) {
        let inRange = network.outsideAddresses.first { $0.family == family }
        let named = plan.excludedOutboundPorts + plan.includedOutboundPorts
        for port in Self.neighbourhood(of: named + [53, 80, 443, 15_008]) {
            for address in elsewhere(family) + [inRange].compactMap({ $0 }) { addOut(address, port) }
        }
        for port in Self.neighbourhood(of: plan.excludedOutboundPorts + [53]) where port != 0 {
            for address in elsewhere(family) { addOut(address, port, Self.application, .udp) }
        }
    }

    private mutating func addOwners(_ family: AddressFamily) {
        for owner in owners {
            for address in elsewhere(family) {
                addOut(address, 8_001, owner)
                addOut(address, 15_008, owner)
            }
        }
    }

    private mutating func addDNS(_ family: AddressFamily) {
        for owner in owners {
            for address in elsewhere(family) {
                addOut(address, 53, owner, .udp)
                addOut(address, 53, owner, .tcp)
            }
        }
    }

    /// The ports, and those beside them that exist.
    static func neighbourhood(of ports: [UInt16]) -> [UInt16] {
        var result: Set<UInt16> = []
        for port in ports {
            result.insert(port)
            if port > 1 { result.insert(port - 1) }
            if port < .max { result.insert(port + 1) }
        }
        return result.sorted()
    }
}

// MARK: - Within the pod

extension CaseAttempts {
    private mutating func addWithin(
        _ destination: IPAddress,
        _ port: UInt16,
        _ owner: Packet.Owner,
        from source: IPAddress? = nil,
        _ transport: TransportProtocol = .tcp
    ) {
        // The kernel's own choice: the address itself, but in 127.0.0.0/8 always 127.0.0.1.
        let usual = destination.isLoopback && destination.family == .ipv4 ? .loopback : destination
        let endpoint = SocketEndpoint(destination, port: port)
        attempts.append(
            ConnectionAttempt(
                transport,
                from: .pod,
                source ?? usual,
                to: .pod,
                endpoint,
                through: "lo",
                owner: owner
            )
        )
    }

    private mutating func addLoopback(_ family: AddressFamily, hasEth0: Bool) {
        var addresses = ["127.0.0.1", "127.0.0.2", "::1"].compactMap { IPAddress($0) }.filter { $0.family == family }
        if hasEth0 { addresses.append(SandboxNetwork.podAddress(family)) }
        for address in addresses {
            for owner in owners {
                addWithin(address, 8_002, owner)
                addWithin(address, 15_008, owner)
                addWithin(address, 53, owner, from: nil, .udp)
                addWithin(address, 53, owner)
            }
            addWithin(address, 15_001, Self.application)
            addWithin(address, 15_006, Self.application)
        }
        // `::6` is on `lo` only where IPv6 is redirected.
        guard hasEth0, family == .ipv4 || plan.redirectsIPv6 else { return }
        let passthrough = family == .ipv4 ? AddressRange.passthroughIPv4 : .passthroughIPv6
        for owner in owners {
            addWithin(SandboxNetwork.podAddress(family), 8_002, owner, from: passthrough.address)
        }
    }
}

extension IPAddress {
    fileprivate static let loopback = AddressRange.loopbackIPv4.address
}

// MARK: - In

extension CaseAttempts {
    private mutating func addIn(
        from place: Place,
        to target: Place,
        _ destination: IPAddress,
        _ port: UInt16,
        through interface: String,
        source: IPAddress,
        _ transport: TransportProtocol = .tcp
    ) {
        let endpoint = SocketEndpoint(destination, port: port)
        attempts.append(
            ConnectionAttempt(
                transport,
                from: place,
                source,
                to: target,
                endpoint,
                through: interface,
                owner: Self.root
            )
        )
    }

    private mutating func addInbound(_ family: AddressFamily) {
        var ports: [UInt16] = [22, 53, 80, 443, 8_003, 15_001, 15_006, 15_008, 15_020, 15_021, 15_053, 15_090]
        switch plan.inboundPorts {
        case .all(let excluded): ports += excluded
        case .only(let included): ports += included
        }
        let pod = SandboxNetwork.podAddress(family)
        for port in Self.neighbourhood(of: ports) {
            addIn(from: .outside, to: .pod, pod, port, through: "eth0", source: SandboxNetwork.peer(of: pod))
        }
        for source in elsewhere(family) {
            addIn(from: .outside, to: .pod, pod, 8_003, through: "eth0", source: source)
            addIn(from: .outside, to: .pod, pod, 53, through: "eth0", source: source, .udp)
        }
    }

    /// In and out by the other interfaces, and through the pod from a machine behind them.
    private mutating func addInterfaces(_ family: AddressFamily) {
        for (index, interface) in network.interfaces.enumerated() {
            let pod = SandboxNetwork.podAddress(family, onInterface: index)
            let machine = SandboxNetwork.peer(of: pod)
            for port in [UInt16(80), 8_004, 15_008, 15_021] {
                addIn(from: .machine, to: .pod, pod, port, through: interface, source: machine)
            }
            for address in network.outsideAddresses where address.family == family {
                addIn(from: .machine, to: .outside, address, 8_004, through: interface, source: machine)
            }
            for address in elsewhere(family) {
                addIn(from: .machine, to: .outside, address, 53, through: interface, source: machine, .udp)
            }
            for owner in owners {
                for transport in TransportProtocol.allCases {
                    let endpoint = SocketEndpoint(machine, port: transport == .tcp ? 8_004 : 53)
                    attempts.append(
                        ConnectionAttempt(
                            transport,
                            from: .pod,
                            pod,
                            to: .machine,
                            endpoint,
                            through: interface,
                            owner: owner
                        )
                    )
                }
            }
        }
    }
}
