internal import Foundation
internal import LinuxKernel
internal import Redirect

/// The host of the demo: the network namespace that this process is in, and the pod's beside it.
struct HostNetwork: ~Copyable {
    let pod: NetworkNamespace

    static let podPath = "/run/netns/pod"
    static let bridge = "cni0"

    /// The network that the pod gets its address from, and the host's address in it.
    static func podNetwork(_ family: AddressFamily) -> AddressRange {
        switch family {
        // 10.244.0.0/24 and fd00:10:244::/64, as cluster set-ups often have it.
        case .ipv4: AddressRange(IPAddress(.ipv4, bits: 0x0AF4_0000), prefixLength: 24) ?? .loopbackIPv4
        case .ipv6: AddressRange(IPAddress(.ipv6, bits: 0xFD00_0010_0244 << 80), prefixLength: 64) ?? .loopbackIPv6
        }
    }

    static func gateway(_ family: AddressFamily) -> IPAddress {
        IPAddress(family, bits: podNetwork(family).first.bits + 1)
    }

    static func firstPodAddress(_ family: AddressFamily) -> IPAddress {
        IPAddress(family, bits: podNetwork(family).first.bits + 2)
    }

    /// Makes the pod's namespace, with `lo` up and addresses that can be used at once.
    init() throws(TryError) {
        try IPProgram.run("link", "set", "lo", "up")
        try IPProgram.run("netns", "add", "pod")
        let pod = try explaining("open the pod's namespace") { () throws(KernelError) in
            try NetworkNamespace(at: Self.podPath)
        }
        try explaining("set up IPv6") { () throws(KernelError) in
            try pod.run { () throws(KernelError) in Self.skipAddressChecks() }
        }
        Self.skipAddressChecks()
        try IPProgram.run("-netns", "pod", "link", "set", "lo", "up")
        self.pod = pod
    }

    /// Gives the host addresses at which somebody outside answers.
    func add(_ addresses: Set<IPAddress>) throws(TryError) {
        for address in addresses {
            try IPProgram.run("address", "add", "\(address.description)/\(address.family.bitWidth)", "dev", "lo")
        }
    }

    /// Duplicate address detection would hold every IPv6 address back for a second or two.
    ///
    /// A kernel without IPv6, or a read-only /proc/sys, only makes this slower.
    private static func skipAddressChecks() {
        for interface in ["all", "default"] {
            for (name, value) in [("disable_ipv6", "0"), ("accept_dad", "0")] {
                let path = "/proc/sys/net/ipv6/conf/\(interface)/\(name)"
                try? Data(value.utf8).write(to: URL(filePath: path))
            }
        }
    }
}

/// `ip` of iproute2.
enum IPProgram {
    static func run(_ arguments: String...) throws(TryError) {
        guard let path = SystemPrograms.find("ip") else {
            throw TryError("there is no program ip; install iproute2")
        }
        let program = ChildProcess(
            path,
            arguments,
            environment: [SystemPrograms.searchPath],
            deadlineMilliseconds: 5_000
        )
        let outcome = try explaining("run ip") { () throws(KernelError) in try program.run() }
        guard outcome.isSuccess else {
            let reason = String(decoding: outcome.standardError, as: UTF8.self).trimmingCharacters(
                in: .whitespacesAndNewlines
            )
            throw TryError("ip \(arguments.joined(separator: " ")): \(reason)")
        }
    }
}

/// Programs of the distribution, which an ordinary user's PATH does not always show.
enum SystemPrograms {
    static let folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

    static let searchPath = "PATH=" + folders.joined(separator: ":")

    static func find(_ name: String) -> String? {
        folders.map { "\($0)/\(name)" }.first { ExecutableFile.isPresent($0) }
    }
}
