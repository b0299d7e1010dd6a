internal import CNIProtocol
internal import LinuxKernel
internal import Logging

/// The node's files that installation is about: reads them, and takes steps.
struct NodeFiles: Sendable {
    let settings: InstallSettings
    private let logger = Logger(label: LogScope.agent)

    /// The pair of binaries that were found equal, so that they are not read again while nobody touches them.
    private var comparedBinaries: [FileStatus] = []

    /// The most entries of the directory: more can only be a mistake, as runtimes read all of them.
    private static let mostEntries = 10_000

    /// The most configurations that are read.
    private static let mostConfigurations = 500

    init(_ settings: InstallSettings) { self.settings = settings }

    private func path(_ name: String) -> String { "\(settings.configurationDirectory)/\(name)" }

    private var journalPath: String { path(InstallJournal.fileName) }

    // MARK: Reading

    /// What is on the node now.
    mutating func state() throws(InstallError) -> InstalledState {
        guard let source = try binaryStatus(settings.binarySource) else { throw .noPlugin(settings.binarySource) }
        let target = try binaryStatus(settings.binaryTarget)
        var state = try uninstallState()
        do throws(KernelError) {
            state.hasCurrentBinary = try isCurrent(target, source)
        } catch {
            throw .binary(error)
        }
        return state
    }

    /// What is on the node now, as far as it concerns what is to go; the image's binary need not be there.
    func uninstallState() throws(InstallError) -> InstalledState {
        let files = try configurationFiles()
        do throws(KernelError) {
            return InstalledState(
                files: files,
                journal: try journal(),
                hasCurrentBinary: false,
                hasKubeconfig: try FileStatus.of(settings.upstreamKubeconfig) != nil
            )
        } catch {
            throw .configuration(error)
        }
    }

    /// The files that hold an entry of ours, by name.
    func entries() throws(InstallError) -> [String] {
        try configurationFiles().files.filter { file in file.holdsEntry }.map { file in file.name }
    }

    func configurationFiles() throws(InstallError) -> ConfigurationFiles {
        do throws(KernelError) {
            var names = try Directory.names(in: settings.configurationDirectory, limit: Self.mostEntries)
                .filter { name in ConfigurationFile.isLoadable(name) }
            guard names.count <= Self.mostConfigurations else {
                throw KernelError("read every configuration of \(settings.configurationDirectory)", .tooBig)
            }
            // Any ending will do for a file that a user has named.
            let named = settings.configurationName
            if !named.isEmpty && !ConfigurationFile.isLoadable(named) { names.append(named) }
            var files: [ConfigurationFile] = []
            for name in names {
                if let file = try file(name) { files.append(file) }
            }
            return ConfigurationFiles(files)
        } catch {
            throw .configuration(error)
        }
    }

    /// One file; nil where it has gone since it was listed.
    private func file(_ name: String) throws(KernelError) -> ConfigurationFile? {
        guard let status = try FileStatus.of(path(name)) else { return nil }
        // A pipe would be waited for.
        guard status.kind == .regular else { return ConfigurationFile(unusable: name, .noFile) }
        guard status.byteCount <= ConfigurationText.longestBytes else {
            return ConfigurationFile(unusable: name, .tooLong)
        }
        do throws(KernelError) {
            let bytes = try File.read(path(name), byteLimit: ConfigurationText.longestBytes)
            return ConfigurationFile(name: name, bytes: bytes, mode: status.mode, status: status)
        } catch {
            guard error.errno == .noSuchEntry else { throw error }
            return nil
        }
    }

    private func journal() throws(KernelError) -> InstallJournal {
        guard try FileStatus.of(journalPath) != nil else { return InstallJournal() }
        let bytes = try File.read(journalPath, byteLimit: InstallJournal.longestBytes)
        if let journal = InstallJournal(bytes) { return journal }
        logger.error(
            "journal cannot be read; single plugins stay lists when the plugin is uninstalled",
            metadata: ["file": "\(journalPath)"]
        )
        return InstallJournal()
    }

    /// Whether the plugin on the node has the content and the mode of the one in the image.
    private mutating func isCurrent(_ target: FileStatus?, _ source: FileStatus) throws(KernelError) -> Bool {
        guard let target, target.kind == .regular, target.byteCount == source.byteCount, target.mode == source.mode
        else { return false }
        guard comparedBinaries != [source, target] else { return true }
        guard try File.haveSameContent(settings.binarySource, settings.binaryTarget) else { return false }
        comparedBinaries = [source, target]
        return true
    }

    private func binaryStatus(_ path: String) throws(InstallError) -> FileStatus? {
        do throws(KernelError) { return try FileStatus.of(path) } catch { throw .binary(error) }
    }

    var hasBinaryDirectory: Bool {
        guard let status = try? binaryStatus(settings.binaryDirectory) else {
            // What cannot be looked at cannot be written to.
            return false
        }
        return status.kind == .directory
    }

    /// Whether there is a plugin on the node, be it an older one.
    var hasAnyBinary: Bool {
        guard let status = try? binaryStatus(settings.binaryTarget) else {
            // What cannot be looked at cannot be executed.
            return false
        }
        return status.kind == .regular && status.byteCount > 0
    }

    // MARK: Writing

    /// Takes one step; `state` is what it was planned from.
    ///
    /// - Returns: The configuration that was written, if one was.
    @discardableResult
    func take(_ step: InstallStep, of state: InstalledState) throws(InstallError) -> FileStatus? {
        switch step {
        case .installBinary: try takeBinaryStep { () throws(KernelError) in try installBinary() }
        case .removeBinary: try takeBinaryStep { () throws(KernelError) in try File.remove(settings.binaryTarget) }
        case .write, .remove, .writeJournal, .removeJournal, .removeKubeconfig:
            if let name = step.fileName, try hasChanged(name, since: state) { throw .changedMeanwhile(path(name)) }
            do throws(KernelError) { return try takeFileStep(step) } catch { throw .configuration(error) }
        }
        return nil
    }

    private func takeBinaryStep(_ body: () throws(KernelError) -> Void) throws(InstallError) {
        do throws(KernelError) { try body() } catch { throw .binary(error) }
    }

    private func takeFileStep(_ step: InstallStep) throws(KernelError) -> FileStatus? {
        switch step {
        case .write(let name, let bytes, let mode): return try File.replace(path(name), with: bytes, mode: mode)
        case .remove(let name): try File.remove(path(name))
        case .writeJournal(let journal):
            try File.replace(journalPath, with: journal.bytes, mode: InstallJournal.mode)
        case .removeJournal: try File.remove(journalPath)
        case .removeKubeconfig: try File.remove(settings.upstreamKubeconfig)
        case .installBinary, .removeBinary: break
        }
        return nil
    }

    private func installBinary() throws(KernelError) {
        let source = try FileStatus.of(settings.binarySource)
        try File.copy(settings.binarySource, to: settings.binaryTarget, mode: source?.mode ?? 0o755)
    }

    /// Whether another program has written a file since it was read, so that a step would undo its work.
    private func hasChanged(_ name: String, since state: InstalledState) throws(InstallError) -> Bool {
        do throws(KernelError) {
            return try FileStatus.of(path(name)) != state.files[name]?.status
        } catch {
            throw .configuration(error)
        }
    }

    /// Removes what a process of ours, or upstream's copying of its binary, left when it was killed.
    func sweep() throws(InstallError) {
        try takeBinaryStep { () throws(KernelError) in
            try sweep(settings.binaryDirectory, also: "\(PluginEntry.type).tmp.")
        }
        do throws(KernelError) {
            try sweep(settings.configurationDirectory, also: File.temporaryPrefix)
        } catch {
            throw .configuration(error)
        }
    }

    private func sweep(_ directory: String, also prefix: String) throws(KernelError) {
        for name in try Directory.names(in: directory, limit: Self.mostEntries)
        where name.hasPrefix(File.temporaryPrefix) || name.hasPrefix(prefix) {
            try File.remove("\(directory)/\(name)")
        }
    }

    /// What of ours is there, as paths.
    func remains(includingBinary: Bool) throws(InstallError) -> [String] {
        var paths = try entries().map { name in path(name) }
        do throws(KernelError) {
            for name in try Directory.names(in: settings.configurationDirectory, limit: Self.mostEntries)
            where name.hasPrefix(File.temporaryPrefix) || name == InstallJournal.fileName {
                paths.append(path(name))
            }
            for other in [settings.upstreamKubeconfig] + (includingBinary ? [settings.binaryTarget] : [])
            where try FileStatus.of(other) != nil {
                paths.append(other)
            }
        } catch {
            throw .configuration(error)
        }
        return paths
    }

    /// When somebody last wrote to the configuration directory, in nanoseconds since 1970.
    func lastConfigurationChange() throws(InstallError) -> Int {
        let files = try configurationFiles()
        let directory: FileStatus?
        do throws(KernelError) {
            directory = try FileStatus.of(settings.configurationDirectory)
        } catch {
            throw .configuration(error)
        }
        return files.files.reduce(directory?.modified ?? 0) { latest, file in max(latest, file.status?.modified ?? 0) }
    }
}

extension InstallStep {
    /// The file of the configuration directory that it changes and that others may change.
    fileprivate var fileName: String? {
        switch self {
        case .write(let name, _, _), .remove(let name): name
        case .installBinary, .writeJournal, .removeKubeconfig, .removeBinary, .removeJournal: nil
        }
    }
}
