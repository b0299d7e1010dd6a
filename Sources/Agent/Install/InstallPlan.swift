internal import CNIProtocol

/// One change on the node.
package enum InstallStep: Equatable, Sendable {
    case installBinary
    case writeJournal(InstallJournal)

    /// Writes a file of the configuration directory.
    case write(name: String, bytes: [UInt8], mode: UInt32)

    /// Removes a file of the configuration directory.
    case remove(name: String)

    /// Removes the token that upstream left (decision 8).
    case removeKubeconfig
    case removeBinary
    case removeJournal

    /// Whether a runtime sees the difference.
    var changesConfiguration: Bool {
        switch self {
        case .write, .remove: true
        case .installBinary, .writeJournal, .removeKubeconfig, .removeBinary, .removeJournal: false
        }
    }
}

/// What is on the node now.
package struct InstalledState: Equatable, Sendable {
    package var files: ConfigurationFiles
    package var journal: InstallJournal

    /// Whether the plugin on the node is the one of the image.
    package var hasCurrentBinary: Bool
    package var hasKubeconfig: Bool

    package init(
        files: ConfigurationFiles,
        journal: InstallJournal,
        hasCurrentBinary: Bool,
        hasKubeconfig: Bool = false
    ) {
        self.files = files
        self.journal = journal
        self.hasCurrentBinary = hasCurrentBinary
        self.hasKubeconfig = hasKubeconfig
    }
}

/// From what is on the node to what should be: the steps, in an order in which a stop anywhere does no harm.
///
/// The binary comes before the entry that names it, the journal before what it undoes, a new file before the one
/// that gives way to it.
package struct InstallPlan: Equatable, Sendable {
    package private(set) var steps: [InstallStep] = []

    /// Why the plugin cannot be in force yet; nil when the steps put it there.
    package private(set) var waiting: String?

    /// What works, and will not keep pods redirected.
    package private(set) var warnings: [String] = []

    /// Files that a runtime passes over, and why.
    package private(set) var skipped: [String] = []

    /// The file in which our entry is in force.
    package private(set) var file: String?

    private let settings: InstallSettings
    private let files: ConfigurationFiles

    /// As it is now, and as the steps leave it.
    private let firstJournal: InstallJournal
    private var journal: InstallJournal

    package init(_ settings: InstallSettings, _ state: InstalledState) {
        self.settings = settings
        files = state.files
        firstJournal = state.journal
        journal = state.journal

        if settings.entry.isAmbientEnabled {
            // Ready and enrolling nobody would be a silent bypass (decision 21).
            waiting = "AMBIENT_ENABLED is true, and ambient mode is not there yet: nothing on the node is changed"
            return
        }
        if !state.hasCurrentBinary { steps.append(.installBinary) }
        for file in files.files {
            if case .unusable(let problem) = file.content { skipped.append("\(file.name): \(problem.description)") }
        }
        if settings.isChained {
            planChained()
        } else {
            planStandalone()
        }
        guard waiting == nil else { return }
        if state.hasKubeconfig { steps.append(.removeKubeconfig) }
        warnIfAnotherFileIsLoaded()
    }

    // MARK: Chained

    private mutating func planChained() {
        let ours = OwnFiles.names(settings, files, journal)
        switch files.primary(named: settings.configurationName, besides: ours) {
        case .missing(let reason): waiting = reason
        case .file(let found):
            let primary = newer(than: found)
            let isFirst = settings.ownedName.precedes(primary.name)
            if settings.ownsConfiguration && !isFirst {
                warnings.append(
                    "\(settings.ownedName) would not come before \(primary.name), so the entry is in \(primary.name) "
                        + "itself: choose another name (--istio-owned-cni-config-filename)"
                )
            }
            var changes = Changes(journal)
            if settings.ownsConfiguration && isFirst {
                planOwned(primary, &changes)
            } else {
                planEntry(in: primary, &changes)
            }
            guard waiting == nil else { return }
            for name in ours.sorted() where name != file { changes.retire(name, files) }
            finish(changes)
        }
    }

    /// The single plugin of which a list was made, where its owner has written it again: a `.json` sorts after it.
    private func newer(than list: ConfigurationFile) -> ConfigurationFile {
        guard let original = journal.original(by: list.name, isSameName: false), let file = files[original.name] else {
            return list
        }
        return Self.list(of: file, settings.entry) == nil ? list : file
    }

    /// The entry in the primary's own list.
    private mutating func planEntry(in primary: ConfigurationFile, _ changes: inout Changes) {
        guard let bytes = Self.list(of: primary, settings.entry) else {
            waiting = "\(primary.name) cannot be read yet"
            return
        }
        // What a user named keeps its name, unless runtimes know a better one for lists.
        let name = primary.listName
        file = name
        let isSingle = if case .single = primary.content { true } else { false }
        if name != primary.name || isSingle {
            if let displaced = files[name], name != primary.name, changes.journal.isNews(displaced) {
                changes.journal.note(displaced, by: name)
            }
            changes.journal.note(primary, by: name)
        }
        if bytes != files[name]?.bytes { changes.steps.append(.write(name: name, bytes: bytes, mode: primary.mode)) }
        if name != primary.name { changes.steps.append(.remove(name: primary.name)) }
    }

    /// A copy of the primary's list with the entry, which the runtime takes first.
    private mutating func planOwned(_ primary: ConfigurationFile, _ changes: inout Changes) {
        guard let bytes = Self.list(of: primary, settings.entry) else {
            waiting = "\(primary.name) cannot be read yet"
            return
        }
        file = settings.ownedName
        changes.write(settings.ownedName, bytes, mode: settings.fileMode, files)
        // Two entries would be two runs of the plugin once the owned file is gone and another takes its place.
        if primary.holdsEntry { changes.release(primary, files) }
    }

    /// A list with the entry, out of a primary's file of either kind.
    static func list(of primary: ConfigurationFile, _ entry: PluginEntry) -> [UInt8]? {
        switch primary.content {
        // What cannot be read is waited for, and said.
        case .list(let text): try? text.settingEntry(entry.value)
        case .single(let text): try? text.asList(entry: entry.value)
        case .unusable: try? primary.asNamedList?.settingEntry(entry.value)
        }
    }

    // MARK: Standing alone

    private mutating func planStandalone() {
        let name = settings.standaloneName
        var changes = Changes(journal)
        let bytes = EntryStyle.ofOwnFile.render(settings.entry.standaloneValue) + [0x0A]
        file = name
        changes.write(name, bytes, mode: settings.fileMode, files)
        for other in OwnFiles.names(settings, files, journal).sorted() where other != name {
            changes.retire(other, files)
        }
        for other in files.files where other.name != name && other.json?.entryIndices.isEmpty == false {
            if !OwnFiles.names(settings, files, journal).contains(other.name) { changes.release(other, files) }
        }
        finish(changes)
    }

    // MARK: Both

    private mutating func finish(_ changes: Changes) {
        var before = changes.journal
        // What the steps let go of must be known until they are done.
        before.made.formUnion(firstJournal.made)
        for original in firstJournal.replaced where !before.replaced.contains(where: { $0.isSameFile(as: original) }) {
            before.replaced.append(original)
        }
        if before != firstJournal { steps.append(.writeJournal(before)) }
        steps += changes.steps
        journal = changes.journal
        guard journal != before else { return }
        steps.append(journal.isEmpty ? .removeJournal : .writeJournal(journal))
    }

    private mutating func warnIfAnotherFileIsLoaded() {
        guard let file, settings.isChained, let loaded = files.loaded, loaded.name.precedes(file) else { return }
        let goes = steps.contains(.remove(name: loaded.name))
        guard !goes, !loaded.holdsEntry || loaded.text?.plugins == nil else { return }
        warnings.append(
            "the runtime loads \(loaded.name), which comes before \(file), so pods pass by the mesh: "
                + "remove it, or name it (--cni-conf-name)"
        )
    }
}

extension InstallJournal {
    /// Whether a file is something that the journal does not know as one of ours.
    func isNews(_ file: ConfigurationFile) -> Bool {
        !made.contains(file.name) && !replaced.contains { original in original.by == file.name }
    }
}

extension InstallJournal.Original {
    func isSameFile(as other: Self) -> Bool { name == other.name && by == other.by }
}
