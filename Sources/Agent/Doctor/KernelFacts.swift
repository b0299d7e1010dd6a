internal import LinuxKernel

/// What the kernel can do, asked in a namespace made for that.
struct KernelFacts: Equatable, Sendable {
    /// What nf_tables of this kernel lacks.
    var missingFromNFTables: String?

    /// Modules that nf_tables rules need and that are not loaded; perhaps they are built in.
    var unloadedModules: [String] = []

    /// Programs of the iptables back-end that are not there.
    var missingPrograms: [String] = []

    init() {}

    init(_ places: DoctorPlaces) {
        missingFromNFTables = places.probe()
        guard missingFromNFTables != nil else { return }
        do throws(KernelError) {
            let bytes = try File.read("\(places.ownProcesses)/modules", byteLimit: 1_024 * 1_024)
            unloadedModules = Self.unloaded(in: String(decoding: bytes, as: UTF8.self))
        } catch {
            // A kernel without modules has no such file.
            unloadedModules = []
        }
        missingPrograms = ["iptables-restore", "ip6tables-restore"].filter { name in
            !places.searchPath.split(separator: ":").contains { folder in ExecutableFile.isPresent("\(folder)/\(name)")
            }
        }
    }

    /// What the largest rule set of a pod needs (net/netfilter/Kconfig of Linux).
    private static let modules = ["nf_tables", "nft_chain_nat", "nft_redir", "nft_tproxy", "nft_socket", "nft_ct"]

    /// - Parameter text: `/proc/modules`: a name begins each line.
    /// - Returns: Those of ``modules`` that are not in it.
    static func unloaded(in text: String) -> [String] {
        let loaded = Set(text.split(separator: "\n").map { line in line.prefix { character in character != " " } })
        return modules.filter { name in !loaded.contains(Substring(name)) }
    }
}

package enum KernelFinding: String, FindingKind {
    case complete = "nftables-complete"
    case incomplete = "nftables-incomplete"
    case noBackend = "backend-missing"

    package static var subject: String { "kernel" }

    package var entry: FindingEntry {
        switch self {
        case .complete: FindingEntry(.good, "nf_tables of this kernel takes every rule that a pod can need.")
        case .incomplete:
            FindingEntry(
                .doubtful,
                "nf_tables refused the largest rule set, so iptables is used, which starts a program for each pod.",
                "Load the modules nft_redir, nft_tproxy, nft_socket and nft_ct, for example with modprobe at boot."
            )
        case .noBackend:
            FindingEntry(
                .bad,
                "nf_tables refused the largest rule set, and there is no iptables: pods of the mesh cannot start.",
                "Load the modules that are named, or use the image V-iptables."
            )
        }
    }
}

extension KernelFacts {
    var findings: [DoctorReport.Finding] {
        guard let missingFromNFTables else { return [KernelFinding.complete.finding("a probe took every rule")] }
        let modules = unloadedModules.isEmpty ? "" : "; not loaded: \(unloadedModules.joined(separator: ", "))"
        guard missingPrograms.isEmpty else {
            let programs = missingPrograms.joined(separator: ", ")
            return [KernelFinding.noBackend.finding("\(missingFromNFTables)\(modules); not in PATH: \(programs)")]
        }
        return [KernelFinding.incomplete.finding("\(missingFromNFTables)\(modules)")]
    }
}
