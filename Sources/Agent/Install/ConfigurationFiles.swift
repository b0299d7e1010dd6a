package import LinuxKernel

/// One file of a runtime's configuration directory, as it was read.
package struct ConfigurationFile: Equatable, Sendable {
    package let name: String
    package let bytes: [UInt8]
    package let mode: UInt32

    /// What a runtime makes of it.
    package let content: Content

    /// Its JSON, be it of use to a runtime or not; nil where it is none.
    let json: ConfigurationText?

    /// What the file was when it was read, to see that nobody has written since; nil in tests of pure parts.
    package let status: FileStatus?

    package enum Content: Equatable, Sendable {
        case list(ConfigurationText)

        /// One plugin, in a `.conf` or a `.json`.
        case single(ConfigurationText)

        /// A runtime skips it.
        case unusable(ConfigurationProblem)
    }

    /// What runtimes load: libcni's own two, and what containerd and CRI-O read as if it were a `.conf`.
    private static let extensions = [".conf", ".conflist", ".json"]

    package init(name: String, bytes: [UInt8], mode: UInt32, status: FileStatus? = nil) {
        self.name = name
        self.bytes = bytes
        self.mode = mode
        self.status = status
        do throws(ConfigurationProblem) {
            let text = try ConfigurationText(bytes)
            json = text
            content = Self.content(of: text, isList: name.hasSuffix(".conflist"))
        } catch {
            json = nil
            content = .unusable(error)
        }
    }

    /// A file that is not even read.
    package init(unusable name: String, _ problem: ConfigurationProblem) {
        self.name = name
        bytes = []
        mode = 0
        status = nil
        json = nil
        content = .unusable(problem)
    }

    private static func content(of text: ConfigurationText, isList: Bool) -> Content {
        if let problem = isList ? text.problemAsList : text.problemAsSingle { return .unusable(problem) }
        return isList ? .list(text) : .single(text)
    }

    /// Whether runtimes look at a file of this name at all.
    package static func isLoadable(_ name: String) -> Bool {
        extensions.contains { ending in name.hasSuffix(ending) }
    }

    var text: ConfigurationText? {
        switch content {
        case .list(let text), .single(let text): text
        case .unusable: nil
        }
    }

    /// Whether an entry of ours is in it, or it is one.
    var holdsEntry: Bool {
        guard let json else { return false }
        return json.isStandaloneEntry || !json.entryIndices.isEmpty
    }

    /// The name under which a list of this file is written.
    var listName: String {
        for ending in [".conf", ".json"] where name.hasSuffix(ending) {
            return "\(name.dropLast(ending.utf8.count)).conflist"
        }
        return name
    }

    /// The same file, read as a list whatever its name: a user may name such a one.
    var asNamedList: ConfigurationText? { json?.problemAsList == nil ? json : nil }
}

/// What a runtime's configuration directory holds, in the order in which runtimes take it: byte by byte.
package struct ConfigurationFiles: Equatable, Sendable {
    package let files: [ConfigurationFile]

    package init(_ files: [ConfigurationFile]) {
        self.files = files.sorted { left, right in left.name.precedes(right.name) }
    }

    package subscript(name: String) -> ConfigurationFile? { files.first { file in file.name == name } }

    /// The file that a runtime loads.
    var loaded: ConfigurationFile? {
        files.first { file in ConfigurationFile.isLoadable(file.name) && file.text != nil }
    }

    /// The configuration of the primary CNI, or why there is none to chain into yet.
    enum Primary: Equatable {
        case file(ConfigurationFile)
        case missing(String)
    }

    /// The primary's file: the one that the user named, or with "" the first that a runtime would load and that is
    /// not wholly ours.
    func primary(named name: String, besides ours: Set<String>) -> Primary {
        guard !name.isEmpty else { return detectedPrimary(besides: ours) }
        guard let file = self[name] ?? sibling(of: name) else {
            return .missing("\(name) is not there yet (--cni-conf-name)")
        }
        if case .unusable(let problem) = file.content, file.asNamedList == nil {
            return .missing("\(file.name) cannot be read yet: \(problem.description)")
        }
        if file.text?.isStandaloneEntry == true {
            return .missing("\(file.name) is our own entry and no configuration of a CNI (--cni-conf-name)")
        }
        return .file(file)
    }

    private func detectedPrimary(besides ours: Set<String>) -> Primary {
        let candidates = files.filter { file in ConfigurationFile.isLoadable(file.name) && !ours.contains(file.name) }
        let usable = candidates.first { file in file.text.map { text in !text.isStandaloneEntry } ?? false }
        if let usable { return .file(usable) }
        for file in candidates {
            guard case .unusable(let problem) = file.content else { continue }
            return .missing("no configuration of a CNI can be read yet; \(file.name): \(problem.description)")
        }
        return .missing("no configuration of a CNI is there yet")
    }

    /// A `.conflist` instead of the `.conf` that was named, and the other way round.
    private func sibling(of name: String) -> ConfigurationFile? {
        if name.hasSuffix(".conf") { return self[name + "list"] }
        return name.hasSuffix(".conflist") ? self[String(name.dropLast(4))] : nil
    }
}

extension String {
    /// Whether this name sorts before the other as runtimes sort: byte by byte.
    func precedes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
