internal import LinuxKernel
internal import Logging

/// Takes the plugin off the node, so that every file is again what it was.
///
/// The binary stays: a runtime that goes on with the configuration it has read needs it for every DEL (decision 12).
package struct Uninstaller: Sendable {
    private let settings: InstallSettings
    private let now: @Sendable () -> Int
    private let logger = Logger(label: LogScope.agent)

    /// How long no entry must have been there before the binary may go: a runtime has read its directory by then.
    package static let binaryDelaySeconds = 60

    /// How often it starts again because another program has just written a file.
    private static let mostAttempts = 20

    /// Makes one that measures its waiting by `now`, a clock in milliseconds that never goes back.
    package init(_ settings: InstallSettings, now: @escaping @Sendable () -> Int = { Clock.monotonicMilliseconds() }) {
        self.settings = settings
        self.now = now
    }

    /// What it left behind, and how.
    package struct Outcome: Equatable, Sendable {
        /// The files that were written or removed, by name.
        package var changed: [String] = []
        package var hasRemovedBinary = false
    }

    /// Removes the entry and all files of ours.
    ///
    /// With `removesBinary` the binary goes too, once no entry has been there for ``binaryDelaySeconds``, which can
    /// take as long: `pause` is called again and again while it waits, and by false gives up and leaves the binary.
    package func run(
        removesBinary: Bool = false,
        pause: () -> Bool = Self.pauseOneSecond
    ) throws(InstallError) -> Outcome {
        var outcome = Outcome()
        var files = NodeFiles(settings)
        try files.sweep()
        outcome.changed = try takeEntriesOut(&files)
        if removesBinary { outcome.hasRemovedBinary = try removeBinary(files, pause) }
        try files.take(.removeJournal, of: try files.uninstallState())
        return outcome
    }

    /// What is still there, as paths; the binary counts only if it was to go.
    package func remains(includingBinary: Bool = false) throws(InstallError) -> [String] {
        try NodeFiles(settings).remains(includingBinary: includingBinary)
    }

    private func takeEntriesOut(_ files: inout NodeFiles) throws(InstallError) -> [String] {
        var attempts = 0
        while true {
            attempts += 1
            do throws(InstallError) {
                let state = try files.uninstallState()
                let plan = UninstallPlan(settings, state)
                for step in plan.steps {
                    try files.take(step, of: state)
                    logger.info("uninstalled", metadata: ["step": "\(step.summary)"])
                }
                return plan.steps.map { step in step.summary }
            } catch {
                guard case .changedMeanwhile = error, attempts < Self.mostAttempts else { throw error }
            }
        }
    }

    private func removeBinary(_ files: NodeFiles, _ pause: () -> Bool) throws(InstallError) -> Bool {
        var lastChange = try files.lastConfigurationChange()
        var seen = now()
        while true {
            guard try files.entries().isEmpty else { return false }
            let change = try files.lastConfigurationChange()
            if change != lastChange { (lastChange, seen) = (change, now()) }
            // The time of a file may lie in the future, where a clock was wrong: then what was seen here counts.
            let quiet = max(now() - seen, (Clock.wallMicroseconds() * 1_000 - change) / 1_000_000)
            guard quiet < Self.binaryDelaySeconds * 1_000 else { break }
            guard pause() else { return false }
        }
        try files.take(.removeBinary, of: try files.uninstallState())
        return true
    }

    package static let pauseOneSecond: @Sendable () -> Bool = {
        Clock.sleep(milliseconds: 1_000)
        return true
    }
}

extension InstallStep {
    /// For a person, in few words.
    fileprivate var summary: String {
        switch self {
        case .write(let name, _, _): "\(name) restored"
        case .remove(let name): "\(name) removed"
        case .removeKubeconfig: "kubeconfig removed"
        case .removeBinary: "plugin removed"
        case .removeJournal: "journal removed"
        case .installBinary, .writeJournal: ""
        }
    }
}
