import CLinuxKernel
import Foundation
package import LinuxKernel
package import Redirect
import Testing

/// A pod made of namespaces: its own, one outside behind eth0, and one behind all of its other interfaces.
///
/// No process runs in it. All ends with the value.
package final class PodSandbox: Sendable {
    package let pod: NetworkNamespace
    package let network: SandboxNetwork
    package let outside: NetworkNamespace
    let machine: NetworkNamespace

    /// Makes the namespaces, with every interface up and every address usable.
    package init(_ network: SandboxNetwork) async throws {
        self.network = network
        pod = try NetworkNamespace.makeNew()
        outside = try NetworkNamespace.makeNew()
        machine = try NetworkNamespace.makeNew()
        _ = try await outside.command("ip", "-batch", "-", input: network.outsideCommands(pod: path(of: pod)))
        if !network.interfaces.isEmpty {
            _ = try await machine.command("ip", "-batch", "-", input: network.machineCommands(pod: path(of: pod)))
        }
        _ = try await pod.command("ip", "-batch", "-", input: network.podCommands)
        if !network.interfaces.isEmpty { try pod.forwardPackets() }
        try await waitForLinks()
    }

    /// The kernel switches a link on some time after its other end (`net/core/link_watch.c`), and till then loses
    /// what is sent.
    private func waitForLinks() async throws {
        for _ in 1...Self.mostLinkTrials {
            let nobody = Packet.Owner(user: 0, group: 0)
            let landings = try await make(network.linkTrials, proxy: nobody, isTransparent: false)
            if !landings.contains(.lost) { return }
        }
        Issue.record("the links of a sandbox stay down")
    }

    /// Half a minute: each trial that fails takes 0.3 s.
    private static let mostLinkTrials = 100

    func namespace(_ place: Place) -> CInt {
        switch place {
        case .pod: pod.rawDescriptor
        case .outside: outside.rawDescriptor
        case .machine: machine.rawDescriptor
        }
    }

    private func path(of namespace: borrowing NetworkNamespace) -> String {
        "/proc/\(getpid())/fd/\(namespace.rawDescriptor)"
    }
}

extension NetworkNamespace {
    /// What a virtual machine in the pod sends is passed on, as KubeVirt has it.
    fileprivate func forwardPackets() throws {
        try run { () throws(KernelError) in
            for file in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
                // /proc/sys/net is that of the thread that opens the file.
                let descriptor = c_linux_open("/proc/sys/net/\(file)", O_WRONLY | O_CLOEXEC, 0)
                guard descriptor >= 0 else { throw KernelError("open \(file)", Errno(rawValue: errno)) }
                defer { close(descriptor) }
                guard write(descriptor, "1", 1) == 1 else {
                    throw KernelError("write \(file)", Errno(rawValue: errno))
                }
            }
        }
    }
}

/// The addresses of a sandbox.
package struct SandboxNetwork: Sendable {
    /// The families that eth0 has an address of.
    package let families: [AddressFamily]

    /// The pod's interfaces beside `lo` and eth0.
    package let interfaces: [String]

    /// The addresses that answer outside, beside the gateway's.
    package let outsideAddresses: [IPAddress]

    package init(families: [AddressFamily], interfaces: [String], outsideAddresses: [IPAddress]) {
        self.families = families
        self.interfaces = interfaces
        self.outsideAddresses = outsideAddresses.filter { families.contains($0.family) }
    }

    /// The pod's own address on eth0, 10.1.0.2 or fd10::2; the gateway's is one lower.
    package static func podAddress(_ family: AddressFamily) -> IPAddress {
        switch family {
        case .ipv4: IPAddress(.ipv4, bits: 0x0A01_0002)
        case .ipv6: IPAddress(.ipv6, bits: 0xFD10 << 112 | 2)
        }
    }

    /// The pod's address on one of `interfaces`: 10.2.0.2 or fd20::2 on the first, 10.3.0.2 or fd21::2 on the next.
    package static func podAddress(_ family: AddressFamily, onInterface index: Int) -> IPAddress {
        let index = UInt128(index)
        return switch family {
        case .ipv4: IPAddress(.ipv4, bits: 0x0A02_0002 + index << 16)
        case .ipv6: IPAddress(.ipv6, bits: (0xFD20 + index) << 112 | 2)
        }
    }

    /// The address at the other end of the pod's.
    package static func peer(of address: IPAddress) -> IPAddress {
        IPAddress(address.family, bits: address.bits - 1)
    }

    /// The machine's end of an interface of the pod.
    static func machineInterface(_ index: Int) -> String { "machine\(index)" }

    /// A datagram from the other end of each link, and back.
    fileprivate var linkTrials: [ConnectionAttempt] {
        var trials: [ConnectionAttempt] = []
        for family in families {
            trials.append(Self.linkTrial(of: Self.podAddress(family), from: .outside, "eth0"))
            for (index, interface) in interfaces.enumerated() {
                trials.append(
                    Self.linkTrial(of: Self.podAddress(family, onInterface: index), from: .machine, interface)
                )
            }
        }
        return trials
    }

    private static func linkTrial(of pod: IPAddress, from place: Place, _ interface: String) -> ConnectionAttempt {
        let echo = SocketEndpoint(pod, port: 7)
        let nobody = Packet.Owner(user: 0, group: 0)
        return ConnectionAttempt(.udp, from: place, peer(of: pod), to: .pod, echo, through: interface, owner: nobody)
    }

    fileprivate func outsideCommands(pod: String) -> String {
        var lines = ["link set lo up", "link add veth0 type veth peer name eth0 netns \(pod)"]
        lines += Self.up("veth0")
        for address in outsideAddresses { lines.append(Self.add(address, address.family.bitWidth, "lo")) }
        for family in families {
            lines.append(Self.add(Self.peer(of: Self.podAddress(family)), family.prefixLength, "veth0"))
            for index in interfaces.indices {
                let network = AddressRange(
                    Self.podAddress(family, onInterface: index),
                    prefixLength: family.prefixLength
                )
                guard let network else { continue }
                lines.append("route add \(network.description) via \(Self.podAddress(family).description)")
            }
        }
        return lines.joined(separator: "\n")
    }

    fileprivate func machineCommands(pod: String) -> String {
        var lines = ["link set lo up"]
        for (index, interface) in interfaces.enumerated() {
            let own = Self.machineInterface(index)
            lines.append("link add \(own) type veth peer name \(interface) netns \(pod)")
            lines += Self.up(own)
            for family in families {
                let gateway = Self.podAddress(family, onInterface: index)
                lines.append(Self.add(Self.peer(of: gateway), family.prefixLength, own))
                lines.append("route add default via \(gateway.description) dev \(own) metric \(index + 1)")
            }
        }
        return lines.joined(separator: "\n")
    }

    fileprivate var podCommands: String {
        var lines = ["link set lo up"] + Self.up("eth0")
        for family in families {
            lines.append(Self.add(Self.podAddress(family), family.prefixLength, "eth0"))
            lines.append("route add default via \(Self.peer(of: Self.podAddress(family)).description)")
        }
        for (index, interface) in interfaces.enumerated() {
            lines += Self.up(interface)
            for family in families {
                lines.append(Self.add(Self.podAddress(family, onInterface: index), family.prefixLength, interface))
            }
        }
        return lines.joined(separator: "\n")
    }

    /// Without an address that the kernel makes up and then takes a second to check.
    private static func up(_ interface: String) -> [String] {
        ["link set \(interface) addrgenmode none", "link set \(interface) up"]
    }

    private static func add(_ address: IPAddress, _ prefixLength: Int, _ interface: String) -> String {
        let withoutCheck = address.family == .ipv6 ? " nodad" : ""
        return "address add \(address.description)/\(prefixLength) dev \(interface)\(withoutCheck)"
    }
}

extension AddressFamily {
    /// That of the sandbox's networks.
    fileprivate var prefixLength: Int { self == .ipv4 ? 24 : 64 }
}
