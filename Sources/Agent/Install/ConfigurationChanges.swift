/// Steps in the configuration directory, and the journal that goes with them.
struct Changes {
    var steps: [InstallStep] = []
    var journal: InstallJournal

    init(_ journal: InstallJournal) { self.journal = journal }

    /// Writes a file that is wholly ours, unless it says the same already.
    mutating func write(_ name: String, _ bytes: [UInt8], mode: UInt32, _ files: ConfigurationFiles) {
        let old = files[name]
        if let old, journal.isNews(old), !old.holdsEntry { journal.note(old, by: name) }
        journal.made.insert(name)
        if let old, old.mode == mode, let said = try? ConfigurationText(old.bytes),
            let new = try? ConfigurationText(bytes)
        {
            if said.value.canonical == new.value.canonical { return }
        }
        steps.append(.write(name: name, bytes: bytes, mode: mode))
    }

    /// Takes away a file that is wholly ours, and brings back what was there before it.
    mutating func retire(_ name: String, _ files: ConfigurationFiles) {
        let original = journal.original(by: name, isSameName: true)
        defer { journal.forget(by: name) }
        // Without an entry, and unlike any other file, it has become someone else's.
        guard let file = files[name], file.holdsEntry || isMadeCopy(file, files) else { return }
        if let original {
            steps.append(.write(name: name, bytes: original.bytes, mode: original.mode))
        } else {
            steps.append(.remove(name: name))
        }
    }

    /// Whether it is our copy of another file, out of which somebody has taken the entry.
    private func isMadeCopy(_ file: ConfigurationFile, _ files: ConfigurationFiles) -> Bool {
        journal.made.contains(file.name)
            && files.files.contains { other in
                other.name != file.name && other.json?.otherTypes == file.json?.otherTypes
            }
    }

    /// Takes our entry out of a list; one that we made out of a single plugin becomes that again.
    mutating func release(_ file: ConfigurationFile, _ files: ConfigurationFiles) {
        defer { journal.forget(by: file.name) }
        let bytes = file.json?.removingEntries() ?? file.bytes
        if let original = journal.original(by: file.name, isSameName: false), isStillAsMade(bytes, of: original) {
            // Where its owner has written it again, that one counts.
            if files[original.name] == nil {
                steps.append(.write(name: original.name, bytes: original.bytes, mode: original.mode))
            }
            if let displaced = journal.original(by: file.name, isSameName: true) {
                steps.append(.write(name: file.name, bytes: displaced.bytes, mode: displaced.mode))
            } else {
                steps.append(.remove(name: file.name))
            }
        } else if let original = journal.original(by: file.name, isSameName: true),
            isStillAsMade(bytes, of: original)
        {
            guard original.bytes != file.bytes else { return }
            steps.append(.write(name: file.name, bytes: original.bytes, mode: original.mode))
        } else if bytes != file.bytes {
            steps.append(.write(name: file.name, bytes: bytes, mode: file.mode))
        }
    }

    /// Whether a list without our entry says what we made it say; else someone has changed it since.
    private func isStillAsMade(_ bytes: [UInt8], of original: InstallJournal.Original) -> Bool {
        let file = ConfigurationFile(name: original.name, bytes: original.bytes, mode: original.mode)
        guard let list = InstallPlan.list(of: file, PluginEntry()), let made = try? ConfigurationText(list),
            let stripped = try? ConfigurationText(made.removingEntries()), let now = try? ConfigurationText(bytes)
        else {
            // What cannot be read is not what we made.
            return false
        }
        return stripped.value.canonical == now.value.canonical
    }
}

/// Which files of the directory are wholly ours.
enum OwnFiles {
    /// Those that the journal knows, and those that an agent of upstream has made.
    static func names(
        _ settings: InstallSettings,
        _ files: ConfigurationFiles,
        _ journal: InstallJournal
    ) -> Set<String> {
        var names = journal.made
        if settings.isChained && settings.ownsConfiguration { names.insert(settings.ownedName) }
        for name in [settings.ownedName, InstallSettings.defaultOwnedName] where name != settings.configurationName {
            if isCopy(name, files) { names.insert(name) }
        }
        for name in [settings.standaloneName, InstallSettings.defaultStandaloneName]
        where files[name]?.json?.isStandaloneEntry == true {
            names.insert(name)
        }
        return names
    }

    /// Whether a list is another file's with our entry: upstream's owned file, of which no journal tells.
    private static func isCopy(_ name: String, _ files: ConfigurationFiles) -> Bool {
        guard let file = files[name], case .list(let text) = file.content, !text.entryIndices.isEmpty else {
            return false
        }
        return files.files.contains { other in other.name != name && other.text?.otherTypes == text.otherTypes }
    }
}
