internal import LinuxKernel

/// What an agent, or upstream's, left on the node.
struct LeftoverFacts: Equatable, Sendable {
    /// Files with a token of upstream's agent.
    var kubeconfigs: [String] = []
    var temporaryFiles: [String] = []
    var entryWithoutPlugin: [String] = []
    var pluginWithoutEntry = false
    var journal = Journal.absent
    var journalPath = ""

    enum Journal: Equatable, Sendable {
        case absent
        case good
        case unreadable(String)

        /// It speaks of files that are not there.
        case stale([String])
    }
}

// MARK: - Looking

extension LeftoverFacts {
    init(_ places: DoctorPlaces, _ configuration: ConfigurationFacts, _ plugin: PluginFacts) {
        let install = places.install
        // The second is what upstream wrote before 1.24, beside the configuration.
        let candidates = [
            install.upstreamKubeconfig, "\(install.configurationDirectory)/ZZZ-istio-cni-kubeconfig",
        ]
        kubeconfigs = candidates.filter(Self.exists)
        temporaryFiles =
            configuration.names.filter { name in name.hasPrefix(File.temporaryPrefix) }
            .map { name in "\(install.configurationDirectory)/\(name)" }
            + Self.temporaryBinaries(install.binaryDirectory)
        let holders = configuration.files.filter { file in file.holdsEntry }.map { file in file.name }
        entryWithoutPlugin = plugin.isThere ? [] : holders
        pluginWithoutEntry = plugin.isThere && holders.isEmpty && !places.installs
        journalPath = "\(install.configurationDirectory)/\(InstallJournal.fileName)"
        journal = Self.journal(journalPath, configuration)
    }

    private static func exists(_ path: String) -> Bool {
        do throws(KernelError) { return try FileStatus.of(path) != nil } catch { return false }
    }

    /// None where the directory cannot be read, which is found out about the plugin.
    private static func temporaryBinaries(_ directory: String) -> [String] {
        do throws(KernelError) {
            return try Directory.names(in: directory, limit: 10_000).filter { name in
                name.hasPrefix(File.temporaryPrefix) || name.hasPrefix("\(PluginEntry.type).tmp.")
            }.map { name in "\(directory)/\(name)" }
        } catch {
            return []
        }
    }

    private static func journal(_ path: String, _ configuration: ConfigurationFacts) -> Journal {
        do throws(KernelError) {
            guard try FileStatus.of(path) != nil else { return .absent }
            let bytes = try File.read(path, byteLimit: InstallJournal.longestBytes)
            guard let journal = InstallJournal(bytes) else { return .unreadable("it is no journal") }
            let names = journal.made.union(journal.replaced.map { original in original.by })
            let gone = names.filter { name in !configuration.names.contains(name) }.sorted()
            return gone.isEmpty ? .good : .stale(gone)
        } catch {
            return .unreadable(error.description)
        }
    }
}

// MARK: - What it means

package enum LeftoverFinding: String, FindingKind {
    case none = "no-leftovers"
    case kubeconfig = "upstream-kubeconfig"
    case temporary = "temporary-files"
    case entryWithoutPlugin = "entry-without-plugin"
    case pluginWithoutEntry = "plugin-without-entry"
    case badJournal = "journal-unreadable"
    case staleJournal = "journal-stale"

    package static var subject: String { "leftovers" }

    package var entry: FindingEntry {
        switch self {
        case .none: FindingEntry(.good, "Nothing was left behind.")
        case .kubeconfig:
            FindingEntry(
                .doubtful,
                "A kubeconfig of upstream's agent is still there, with a token in it.",
                "Nothing while the agent runs: it deletes the one in the run directory once plugin and entry are in "
                    + "place. One beside the configuration must be deleted by hand."
            )
        case .temporary:
            FindingEntry(
                .doubtful,
                "Temporary files of an agent that was killed fill the disk (istio/istio#54311).",
                "Nothing: the agent removes them when it starts. Without an agent delete them by hand."
            )
        case .entryWithoutPlugin:
            FindingEntry(
                .bad,
                "The entry is there and the plugin is not: every pod of this node fails to start and to stop.",
                "Start the agent, or take the entry out: install-cni uninstall, or by hand as "
                    + "docs/troubleshooting.md says."
            )
        case .pluginWithoutEntry:
            FindingEntry(
                .doubtful,
                "The plugin is there and no entry: it was uninstalled, and running pods still need it for DEL.",
                "Delete the plugin once the node was restarted or drained; install-cni uninstall --remove-binary does."
            )
        case .badJournal:
            FindingEntry(
                .doubtful,
                "The journal of the installation cannot be read, so uninstalling leaves lists where single files were.",
                "Delete the file; the agent begins a new one."
            )
        case .staleJournal:
            FindingEntry(
                .doubtful,
                "The journal of the installation names files that are gone: another program removed them.",
                "Nothing while the agent runs; else delete the journal."
            )
        }
    }
}

extension LeftoverFacts {
    var findings: [DoctorReport.Finding] {
        var findings: [DoctorReport.Finding] = kubeconfigs.map { path in LeftoverFinding.kubeconfig.finding(path) }
        if let first = temporaryFiles.first {
            findings.append(LeftoverFinding.temporary.finding("\(temporaryFiles.count), among them \(first)"))
        }
        if !entryWithoutPlugin.isEmpty {
            let list = entryWithoutPlugin.joined(separator: ", ")
            findings.append(LeftoverFinding.entryWithoutPlugin.finding("the entry is in \(list)"))
        }
        if pluginWithoutEntry { findings.append(LeftoverFinding.pluginWithoutEntry.finding("no file has the entry")) }
        switch journal {
        case .absent, .good: break
        case .unreadable(let reason): findings.append(LeftoverFinding.badJournal.finding("\(journalPath): \(reason)"))
        case .stale(let names):
            let list = names.joined(separator: ", ")
            findings.append(LeftoverFinding.staleJournal.finding("\(journalPath) names \(list)"))
        }
        return findings.isEmpty ? [LeftoverFinding.none.finding("nothing of the usual kinds")] : findings
    }
}
