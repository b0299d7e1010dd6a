internal import LinuxKernel

/// What the container runtimes of the node say about themselves.
struct RuntimeFacts: Equatable, Sendable {
    var runtimes: [Runtime] = []

    /// Why processes cannot be listed.
    var problem: String?

    /// Where the agent looks, for the text.
    var configurationDirectory = ""
    var pluginDirectory = ""

    struct Runtime: Equatable, Sendable {
        var name: String
        var process: Int32
        var outcome: Outcome
    }

    enum Outcome: Equatable, Sendable {
        case failed(RuntimeConfiguration.Problem)
        case read(RuntimeConfiguration, sharesConfiguration: Bool, sharesPlugins: Bool)
    }
}

// MARK: - Looking

extension RuntimeFacts {
    init(_ places: DoctorPlaces, _ processes: NodeProcesses) {
        configurationDirectory = places.install.configurationDirectory
        pluginDirectory = places.install.binaryDirectory
        problem = processes.problem
        for process in processes.found {
            guard let runtime = look(at: process) else { continue }
            runtimes.append(runtime)
        }
    }

    /// Nil for what serves no kubelet: a docker has a containerd of its own.
    private func look(at process: NodeProcess) -> Runtime? {
        do throws(RuntimeConfiguration.Problem) {
            guard let configuration = try read(process), configuration.servesKubelet else { return nil }
            return Runtime(name: process.name, process: process.number, outcome: try compare(configuration, process))
        } catch {
            return Runtime(name: process.name, process: process.number, outcome: .failed(error))
        }
    }

    private func read(_ process: NodeProcess) throws(RuntimeConfiguration.Problem) -> RuntimeConfiguration? {
        switch process.name {
        case "containerd": try RuntimeConfiguration(containerd: process, in: try Self.tree(process))
        case "crio": try RuntimeConfiguration(crio: process, in: try Self.tree(process))
        case "cri-dockerd": RuntimeConfiguration(dockerd: process)
        default: nil
        }
    }

    private static func tree(_ process: NodeProcess) throws(RuntimeConfiguration.Problem) -> FileTree {
        do throws(KernelError) { return try FileTree(process.root) } catch { throw .root(error) }
    }

    /// Two paths are one directory if device and inode are the same, whatever is mounted or linked where.
    private func compare(
        _ configuration: RuntimeConfiguration,
        _ process: NodeProcess
    ) throws(RuntimeConfiguration.Problem) -> Outcome {
        let tree = try Self.tree(process)
        do throws(KernelError) {
            let directory = try tree.status(configuration.configurationDirectory)
            var sharesPlugins = false
            for path in configuration.pluginDirectories where try Self.isSame(try tree.status(path), pluginDirectory) {
                sharesPlugins = true
            }
            return .read(
                configuration,
                sharesConfiguration: try Self.isSame(directory, configurationDirectory),
                sharesPlugins: sharesPlugins
            )
        } catch {
            throw .file(error)
        }
    }

    private static func isSame(_ theirs: FileStatus?, _ path: String) throws(KernelError) -> Bool {
        guard let theirs, let ours = try FileStatus.of(path) else { return false }
        return theirs.device == ours.device && theirs.inode == ours.inode
    }
}

// MARK: - What it means

package enum RuntimeFinding: String, FindingKind {
    case agrees = "runtime-agrees"
    case unseen = "runtime-unseen"
    case unreadable = "runtime-unreadable"
    case configurationElsewhere = "configuration-directory-differs"
    case pluginsElsewhere = "plugin-directory-differs"
    case severalNetworks = "several-networks-loaded"
    case template = "configuration-template"
    case networkPinned = "network-pinned"
    case sandboxes = "sandboxed-runtime"

    package static var subject: String { "runtime" }

    package var entry: FindingEntry {
        switch self {
        case .agrees:
            FindingEntry(.good, "The runtime's own files name the directories that the agent has mounted.")
        case .unseen:
            FindingEntry(
                .doubtful,
                "No container runtime is among the processes that the agent sees, so its directories are not compared.",
                "Mount the host's /proc (repair.repairPods=true does); else compare the directories by hand."
            )
        case .unreadable:
            FindingEntry(
                .doubtful,
                "The runtime's own configuration cannot be read, so its directories are not compared.",
                "Give the agent SYS_PTRACE as the chart does, and Linux 5.6; else compare the directories by hand."
            )
        case .configurationElsewhere:
            FindingEntry(
                .bad,
                "The runtime loads CNI configurations from another directory: it never sees the plugin's entry.",
                "Set cniConfDir in the chart's values to the runtime's directory (or global.platform, which does)."
            )
        case .pluginsElsewhere:
            FindingEntry(
                .bad,
                "The runtime looks for plugins in another directory: every pod fails with failed to find plugin.",
                "Set cniBinDir in the chart's values to the runtime's directory (or global.platform, which does)."
            )
        case .severalNetworks:
            FindingEntry(
                .doubtful,
                "containerd loads more than one file, each as a network; only the first is known to have the entry.",
                "Set max_conf_num = 1 in containerd's configuration, unless the other networks are wanted."
            )
        case .template:
            FindingEntry(
                .doubtful,
                "containerd writes the CNI configuration itself from a template when the node gets its pod range and "
                    + "no file can be loaded; what it writes has no entry.",
                "Nothing while the entry is found: the agent heals it. Else install a CNI that writes its own file."
            )
        case .networkPinned:
            FindingEntry(
                .bad,
                "CRI-O uses only the network of this name, and the file with the entry has another.",
                "Set cniConfFileName in the chart's values to the file of that network."
            )
        case .sandboxes:
            FindingEntry(
                .doubtful,
                "Pods of these handlers run in a kernel of their own, where rules of the node have no effect "
                    + "(istio/istio#58573): bypass counts them as unknown.",
                "Keep pods of the mesh off these RuntimeClasses, or see that they have istio-init instead."
            )
        }
    }
}

extension RuntimeFacts {
    func findings(_ chain: ConfigurationFacts) -> [DoctorReport.Finding] {
        guard !runtimes.isEmpty else {
            return [RuntimeFinding.unseen.finding(problem ?? "neither containerd, crio nor cri-dockerd is running")]
        }
        return runtimes.flatMap { runtime in runtime.findings(self, chain) }
    }
}

extension RuntimeFacts.Runtime {
    fileprivate func findings(_ facts: RuntimeFacts, _ chain: ConfigurationFacts) -> [DoctorReport.Finding] {
        let who = "\(name) (process \(process))"
        switch outcome {
        case .failed(let problem): return [RuntimeFinding.unreadable.finding("\(who): \(problem.description)")]
        case .read(let configuration, let sharesConfiguration, let sharesPlugins):
            let files = configuration.files.isEmpty ? "no file, so its defaults" : "\(configuration.files.last ?? "")"
            var findings: [DoctorReport.Finding] = []
            if !sharesConfiguration {
                let text = "\(who), \(files): loads \(configuration.configurationDirectory), which is not the agent's "
                // Where nothing is chained, Multus reads the directory and the runtime does not.
                findings.append(
                    RuntimeFinding.configurationElsewhere.finding(
                        text + facts.configurationDirectory,
                        verdict: chain.isChained ? nil : .doubtful
                    )
                )
            }
            if !sharesPlugins {
                let list = configuration.pluginDirectories.joined(separator: ", ")
                let text = "\(who), \(files): looks in \(list), which is not the agent's \(facts.pluginDirectory)"
                findings.append(RuntimeFinding.pluginsElsewhere.finding(text))
            }
            if sharesConfiguration && sharesPlugins {
                let text = "\(who), \(files): \(configuration.configurationDirectory) and "
                findings.append(
                    RuntimeFinding.agrees.finding(text + configuration.pluginDirectories.joined(separator: ", "))
                )
            }
            return findings + Self.findings(configuration, who, chain)
        }
    }

    private static func findings(
        _ configuration: RuntimeConfiguration,
        _ who: String,
        _ chain: ConfigurationFacts
    ) -> [DoctorReport.Finding] {
        var findings: [DoctorReport.Finding] = []
        if configuration.mostFiles != 1 {
            findings.append(RuntimeFinding.severalNetworks.finding("\(who): max_conf_num = \(configuration.mostFiles)"))
        }
        if !configuration.template.isEmpty {
            findings.append(RuntimeFinding.template.finding("\(who): conf_template = \(configuration.template)"))
        }
        let holders = chain.files.filter { file in file.holdsEntry }
        let isPinned = holders.contains { file in file.network == configuration.network }
        if !configuration.network.isEmpty, chain.isChained, !isPinned, let holder = holders.first {
            let text = "\(who): cni_default_network = \(configuration.network); \(holder.name) is the network "
            findings.append(RuntimeFinding.networkPinned.finding(text + holder.network))
        }
        if !configuration.sandboxes.isEmpty {
            let list = configuration.sandboxes.joined(separator: ", ")
            findings.append(RuntimeFinding.sandboxes.finding("\(who) has the handlers \(list)"))
        }
        return findings
    }
}
