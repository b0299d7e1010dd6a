internal import CNIProtocol
internal import LinuxKernel

/// The runtime's configuration directory: which file is loaded, and what of ours is in it.
struct ConfigurationFacts: Equatable, Sendable {
    var directory = ""

    /// Why the directory cannot be read.
    var problem: String?

    /// Files that runtimes look at, in their order.
    var files: [Item] = []

    /// All names, those included that no runtime looks at.
    var names: [String] = []
    var installs = true

    /// Whether the entry joins the primary's list; else it has a file of its own, which Multus calls.
    var isChained = true

    struct Item: Equatable, Sendable {
        var name: String

        /// Types of its plugins, in order; empty where a runtime skips the file.
        var types: [String] = []
        var network = ""
        var isList = true

        /// Why a runtime skips it.
        var problem: String?

        /// When it was last written, as RFC 3339 has it; "" where that is not known.
        var written = ""

        /// Who wrote it then.
        var author = ConfigurationWrites.Author.unknown

        var holdsEntry: Bool { types.contains(PluginEntry.type) }
        var isOursAlone: Bool { types == [PluginEntry.type] }
    }

    /// The file that a runtime loads.
    var loaded: Item? { files.first { file in file.problem == nil } }
}

// MARK: - Looking

extension ConfigurationFacts {
    /// - Parameters:
    ///   - places: Where to look.
    ///   - writes: What the agent says that it wrote.
    init(_ places: DoctorPlaces, _ writes: ConfigurationWrites?) {
        let directory = places.install.configurationDirectory
        self.directory = directory
        installs = places.installs
        isChained = places.install.isChained
        do throws(InstallError) {
            files = try NodeFiles(places.install).configurationFiles().files.map { file in
                var item = Item(file)
                if let status = file.status, let writes {
                    item.author = writes.author(of: file.name, in: directory, status)
                }
                return item
            }
        } catch {
            problem = error.description
        }
        do throws(KernelError) {
            names = try Directory.names(in: directory, limit: 10_000)
        } catch {
            problem = problem ?? error.description
        }
    }
}

extension ConfigurationFacts.Item {
    init(_ file: ConfigurationFile) {
        name = file.name
        written = file.status.map { status in Clock.timestamp(status.modified / 1_000) } ?? ""
        switch file.content {
        case .list(let text):
            types = text.plugins?.compactMap { plugin in plugin["type"]?.string } ?? []
            network = text.value["name"]?.string ?? ""
        case .single(let text):
            types = [text.value["type"]?.string ?? ""]
            network = text.value["name"]?.string ?? ""
            isList = false
        case .unusable(let reason): problem = reason.description
        }
    }
}

extension ConfigurationFacts.Item {
    /// When and by whom it was last written, as far as that is known, behind a comma.
    fileprivate var lastWrite: String {
        guard !written.isEmpty else { return "" }
        return switch author {
        case .agent: ", last written \(written) by the agent"
        case .other(let since):
            ", last written \(written) by another program, after the agent's own at \(Clock.timestamp(since / 1_000))"
        case .notAgent: ", last written \(written), and not by the agent since it started"
        case .unknown: ", last written \(written)"
        }
    }
}

// MARK: - What it means

package enum ConfigurationFinding: String, FindingKind {
    case inPlace = "entry-in-place"
    case unreadable = "configuration-unreadable"
    case absent = "configuration-absent"
    case entryAbsent = "entry-absent"
    case entryThroughMultus = "entry-through-multus"
    case entryNotLast = "entry-not-last"
    case entryTwice = "entry-twice"
    case entryAlone = "entry-alone"
    case standalone = "entry-standalone"
    case noList = "configuration-not-a-list"
    case skipped = "configuration-skipped"

    package static var subject: String { "configuration" }

    package var entry: FindingEntry {
        switch self {
        case .inPlace:
            FindingEntry(.good, "The file that the runtime loads has the plugin's entry, and it is the last.")
        case .unreadable:
            FindingEntry(
                .bad,
                "The agent cannot read the directory of CNI configurations, so it can put no entry there.",
                "Look at the mount of cniConfDir, and at SELinux and AppArmor below."
            )
        case .absent:
            FindingEntry(
                .bad,
                "No file in the directory is one that a runtime loads: no pod starts on this node.",
                "Install the primary CNI, or set cniConfDir in the chart's values to the directory that it writes to."
            )
        case .entryAbsent:
            FindingEntry(
                .bad,
                "The file that the runtime loads has no entry of the plugin: new pods of the mesh are not redirected.",
                "Look at the agent's log for who rewrites the file; the agent puts the entry back within seconds."
            )
        case .entryThroughMultus:
            FindingEntry(
                .doubtful,
                "The runtime loads Multus, and the entry is in the file of a CNI that Multus delegates to. "
                    + "Multus hands no pod annotations on, so pods outside the mesh need the agent to start.",
                "Nothing while Multus delegates to the file with the entry; docs/compatibility.md has both ways."
            )
        case .entryNotLast:
            FindingEntry(
                .doubtful,
                "Plugins come after the entry, and change the pod's network after its rules are in.",
                "Nothing: the agent puts the entry last at its next look. If it comes back, see cilium-exclusive."
            )
        case .entryTwice:
            FindingEntry(
                .doubtful,
                "More than one file has the entry. Where one delegates to the other, as Multus does, the plugin runs "
                    + "twice for a pod (istio/istio#57432); the second run changes nothing.",
                "Set cniConfFileName in the chart's values to the one file, and take the entry out of the other."
            )
        case .entryAlone:
            FindingEntry(
                .bad,
                "The file that the runtime loads is the entry alone, so pods get no network but the rules.",
                "Install the primary CNI; with chained=false its file must sort before the entry's."
            )
        case .standalone:
            FindingEntry(.good, "The entry has a file of its own, as chained=false says: only Multus calls it.")
        case .noList:
            FindingEntry(
                .doubtful,
                "The file that the runtime loads is of one plugin, to which nothing can be chained.",
                "Nothing: the agent makes a list of it. With chained=false only Multus calls the plugin."
            )
        case .skipped:
            FindingEntry(
                .doubtful,
                "A file that sorts before the loaded one is skipped by runtimes, since it cannot be used.",
                "Correct or remove the file: once it can be used, it is loaded instead."
            )
        }
    }
}

extension ConfigurationFacts {
    var findings: [DoctorReport.Finding] {
        if let problem { return [ConfigurationFinding.unreadable.finding(problem)] }
        if !isChained, let own = files.first(where: { file in file.isOursAlone }) {
            return [ConfigurationFinding.standalone.finding("\(directory)/\(own.name)")] + twice
        }
        guard let loaded else {
            return [ConfigurationFinding.absent.finding("no usable file in \(directory)")] + skipped
        }
        return [finding(loaded)] + twice + skipped
    }

    private func finding(_ loaded: Item) -> DoctorReport.Finding {
        let holders = files.filter { file in file.holdsEntry }.map { file in file.name }
        let seen = "\(directory)/\(loaded.name) (\(loaded.types.joined(separator: ", "))\(loaded.lastWrite))"
        guard loaded.holdsEntry else {
            // Multus writes a list or not, as its delegate's version is: the entry is with the delegate either way.
            if loaded.types.contains(where: { type in type.hasPrefix("multus") }), !holders.isEmpty {
                let text = "\(seen) is loaded; \(holders.joined(separator: ", ")) has the entry"
                return ConfigurationFinding.entryThroughMultus.finding(text)
            }
            if !loaded.isList { return ConfigurationFinding.noList.finding(seen, verdict: installs ? nil : .doubtful) }
            let others = holders.isEmpty ? "no file has it" : "\(holders.joined(separator: ", ")) has it"
            return ConfigurationFinding.entryAbsent.finding(
                "\(seen) is loaded and has no entry; \(others)",
                verdict: installs ? nil : .doubtful
            )
        }
        if loaded.isOursAlone { return ConfigurationFinding.entryAlone.finding("\(seen) is loaded") }
        guard loaded.types.last == PluginEntry.type else { return ConfigurationFinding.entryNotLast.finding(seen) }
        return ConfigurationFinding.inPlace.finding(seen)
    }

    private var twice: [DoctorReport.Finding] {
        let holders = files.filter { file in file.holdsEntry && !file.isOursAlone }
        guard holders.count > 1 else { return [] }
        let list = holders.map { file in file.name }.joined(separator: ", ")
        return [ConfigurationFinding.entryTwice.finding("\(list) in \(directory)")]
    }

    private var skipped: [DoctorReport.Finding] {
        files.prefix { file in file.problem != nil }.map { file in
            ConfigurationFinding.skipped.finding("\(directory)/\(file.name): \(file.problem ?? "")")
        }
    }
}
