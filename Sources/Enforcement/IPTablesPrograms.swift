internal import LinuxKernel
internal import Redirect

/// Where `iptables-save` and `iptables-restore` are, and which of their variants to use.
package struct IPTablesPrograms: Sendable {
    /// Searched in this order; nothing else of the caller's environment counts.
    let directories: [String]

    /// The only variant to use, or nil for the best one that works.
    let flavor: Flavor?

    /// Which half of the kernel a variant speaks to; the value is the last part of its name.
    package enum Flavor: String, CaseIterable, Sendable {
        case nftables = "nft"
        case legacy
    }

    /// Where distributions put them.
    package static let standardDirectories = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin", "/bin"]

    /// How long the legacy variant waits for the lock of all rules, where it has no other: versions before 1.8.6 know one
    /// lock only.
    let lockWaitSeconds: Int

    package init(
        directories: [String] = standardDirectories,
        flavor: Flavor? = nil,
        lockWaitSeconds: Int = 30
    ) {
        self.directories = directories
        self.flavor = flavor
        self.lockWaitSeconds = lockWaitSeconds
    }

    /// Whether this host has the programs that rules of IPv4 need.
    package var isPresent: Bool { !variants(.ipv4).isEmpty }

    /// The programs of one family and variant.
    struct Variant: Equatable {
        let save: String
        let restore: String

        /// Whether the rules are kept outside of nf_tables, where netlink does not show them.
        let isLegacy: Bool

        let lockWaitSeconds: Int
    }

    /// Every variant that this host has, the best first.
    func variants(_ family: AddressFamily) -> [Variant] {
        let name = family == .ipv4 ? "iptables" : "ip6tables"
        var variants: [Variant] = []
        let suffixes = if let flavor { ["-" + flavor.rawValue] } else { ["-nft", "-legacy", ""] }
        for suffix in suffixes {
            guard let save = find("\(name)\(suffix)-save"), let restore = find("\(name)\(suffix)-restore") else {
                continue
            }
            variants.append(
                Variant(
                    save: save,
                    restore: restore,
                    isLegacy: suffix == "-legacy",
                    lockWaitSeconds: lockWaitSeconds
                )
            )
        }
        return variants
    }

    private func find(_ name: String) -> String? {
        for directory in directories where ExecutableFile.isPresent("\(directory)/\(name)") {
            return "\(directory)/\(name)"
        }
        return nil
    }

    /// What to install where no variant is found.
    static func missing(_ family: AddressFamily) -> EnforcementError {
        let name = family == .ipv4 ? "iptables" : "ip6tables"
        return .programMissing("\(name)-save and \(name)-restore")
    }
}

extension IPTablesPrograms.Variant {
    /// The rules in force, or nil where this variant does not work on this kernel.
    func dump(_ namespace: borrowing NetworkNamespace) throws(EnforcementError) -> IPTablesDump? {
        let result = try run(save, [], input: "", in: namespace)
        guard result.isSuccess, !result.isTruncated else { return nil }
        return IPTablesDump(String(decoding: result.standardOutput, as: UTF8.self))
    }

    /// Applies `text`, a table at once.
    func restore(_ text: String, in namespace: borrowing NetworkNamespace) throws(EnforcementError) {
        let wait = isLegacy ? ["-w", "\(lockWaitSeconds)"] : []
        let result = try run(restore, ["--noflush"] + wait, input: text, in: namespace)
        guard result.isSuccess else {
            let output = String(decoding: result.standardError, as: UTF8.self)
            throw .programFailed(restore, output: oneLine(output))
        }
    }

    private func run(
        _ path: String,
        _ arguments: [String],
        input: String,
        in namespace: borrowing NetworkNamespace
    ) throws(EnforcementError) -> ChildProcess.Outcome {
        let process = ChildProcess(
            path,
            arguments,
            environment: Self.environment,
            standardInput: Array(input.utf8),
            deadlineMilliseconds: (lockWaitSeconds + Self.workSeconds) * 1_000,
            outputByteLimit: Self.outputByteLimit
        )
        do throws(KernelError) {
            return try process.run(in: namespace)
        } catch {
            throw error.errno == .noSuchEntry ? .programMissing(path) : .namespaceNotUsable(error)
        }
    }

    /// The lock of all rules of the host is not wanted: rules of a pod need the pod's lock, which we hold.
    ///
    /// The file is one that nobody else has: the child's own standard input.
    private static let environment = [
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "XTABLES_LOCKFILE=/proc/self/fd/0", "LC_ALL=C",
    ]

    /// One call takes some 10 ms, and on a busy node a hundred times that.
    private static let workSeconds = 10

    /// Room for 10,000 rules of 100 bytes, several times over.
    private static let outputByteLimit = 8 * 1_024 * 1_024
}

/// A program's remarks on one line, as far as an operator reads.
private func oneLine(_ text: String) -> String {
    let line = text.split(separator: "\n").joined(separator: "; ")
    return line.utf8.count > 500 ? String(line.prefix(500)) + "..." : line
}
