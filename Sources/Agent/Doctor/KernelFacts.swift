internal import Enforcement
internal import LinuxKernel

/// What the kernel can do, asked in a namespace made for that, and what there is where it cannot.
struct KernelFacts: Equatable, Sendable {
    /// What nf_tables of this kernel lacks.
    var missingFromNFTables: String?

    /// Modules that nf_tables rules need and that are not loaded; perhaps they are built in.
    var unloadedModules: [String] = []

    /// Programs of the iptables back-end that the node lacks; nil where no runtime is seen.
    ///
    /// The plugin runs them, and the plugin runs where its runtime does: what the agent's image has is no help to it.
    var missingOnNode: [String]? = []

    /// Those that the agent's image lacks, if it repairs pods in place.
    var missingInImage: [String] = []

    init() {}

    init(_ places: DoctorPlaces, _ processes: NodeProcesses) {
        missingFromNFTables = places.probe()
        guard missingFromNFTables != nil else { return }
        do throws(KernelError) {
            let bytes = try File.read("\(places.ownProcesses)/modules", byteLimit: 1_024 * 1_024)
            unloadedModules = Self.unloaded(in: String(decoding: bytes, as: UTF8.self))
        } catch {
            // A kernel without modules has no such file.
            unloadedModules = []
        }
        missingOnNode = Self.missing(below: processes.found.first { process in Self.runtimes.contains(process.name) })
        guard places.repairs else { return }
        missingInImage = Self.programs.filter { name in
            !places.programDirectories.contains { folder in ExecutableFile.isPresent("\(folder)/\(name)") }
        }
    }

    /// Those that start plugins.
    private static let runtimes: Set<String> = ["containerd", "crio", "cri-dockerd"]

    private static let programs = ["iptables-restore", "ip6tables-restore"]

    private static func missing(below process: NodeProcess?) -> [String]? {
        guard let process else { return nil }
        do throws(KernelError) {
            let tree = try FileTree(process.root)
            var missing: [String] = []
            for name in programs {
                var isPresent = false
                for folder in IPTablesPrograms.standardDirectories where try tree.status("\(folder)/\(name)") != nil {
                    isPresent = true
                }
                if !isPresent { missing.append(name) }
            }
            return missing
        } catch {
            // Without the right to look there; `runtime-unreadable` says so.
            return nil
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
    case noRepair = "repair-programs-missing"

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
                "nf_tables refused the largest rule set, and the node has no iptables: pods of the mesh cannot start.",
                "Load the modules that are named, or install iptables on the node; the plugin runs there."
            )
        case .noRepair:
            FindingEntry(
                .doubtful,
                "nf_tables refused the largest rule set, and the agent's image has no iptables: pods that slipped by "
                    + "cannot be repaired in place.",
                "Load the modules that are named, or use the image V-iptables (variant=iptables in the chart's values)."
            )
        }
    }
}

extension KernelFacts {
    var findings: [DoctorReport.Finding] {
        guard let missingFromNFTables else { return [KernelFinding.complete.finding("a probe took every rule")] }
        let modules = unloadedModules.isEmpty ? "" : "; not loaded: \(unloadedModules.joined(separator: ", "))"
        let lack = missingFromNFTables + modules
        let node =
            switch missingOnNode {
            case .none: KernelFinding.incomplete.finding("\(lack); whether the node has iptables is not seen")
            case []: KernelFinding.incomplete.finding(lack)
            case .some(let programs):
                KernelFinding.noBackend.finding("\(lack); not on the node: \(programs.joined(separator: ", "))")
            }
        guard !missingInImage.isEmpty else { return [node] }
        let programs = missingInImage.joined(separator: ", ")
        return [node, KernelFinding.noRepair.finding("\(lack); not in the image: \(programs)")]
    }
}
