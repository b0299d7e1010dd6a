internal import LinuxKernel
package import Metrics
internal import ServiceLifecycle
internal import Synchronization

/// Puts the plugin on the node and keeps it there, whatever other programs do.
///
/// It ends without taking anything away: whether the plugin is to be uninstalled is decided elsewhere (decision 11).
package struct Installer: Service {
    private let settings: InstallSettings
    private let pauses: InstallPauses
    private let state: InstallState
    private let metrics: any MetricsFactory
    private let role: @Sendable () -> WriterRole
    private let onQuarrel: @Sendable (Quarrel) -> Void
    private let heartbeat: Heartbeat?

    /// It tells `state` how it stands, acts only while `role` says that this agent is the one of its node that
    /// writes (decision 19), and calls `onQuarrel` at most once a minute while another program rewrites the
    /// configuration.
    package init(
        _ settings: InstallSettings,
        pauses: InstallPauses = InstallPauses(),
        state: InstallState,
        metrics: any MetricsFactory = MetricsSystem.factory,
        role: @escaping @Sendable () -> WriterRole,
        onQuarrel: @escaping @Sendable (Quarrel) -> Void = { _ in },
        heartbeat: Heartbeat? = nil
    ) throws(InstallError) {
        try settings.check()
        self.settings = settings
        self.pauses = pauses
        self.state = state
        self.metrics = metrics
        self.role = role
        self.onQuarrel = onQuarrel
        heartbeat?.rest()
        self.heartbeat = heartbeat
    }

    package func run() async throws {
        let isEnding = EndFlag()
        let loop = InstallLoop(
            settings: settings,
            pauses: pauses,
            report: InstallReport(state: state, metrics: metrics, onQuarrel: onQuarrel),
            role: role,
            isEnding: { isEnding.isSet },
            heartbeat: heartbeat
        )
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                // It waits for files and their directories, which a task's own thread may not.
                try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                    do throws(KernelError) {
                        try DetachedThread.start {
                            var loop = loop
                            loop.run()
                            continuation.resume()
                        }
                    } catch {
                        continuation.resume(throwing: error)
                    }
                }
            } onGracefulShutdown: {
                isEnding.set()
            }
        } onCancel: {
            isEnding.set()
        }
    }
}

/// Set once, from any thread.
private final class EndFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() { flag.store(true, ordering: .releasing) }
}

/// How long the installer waits for what.
package struct InstallPauses: Equatable, Sendable {
    /// How long one wait for a change blocks, and so how long the agent's end can take.
    package var waitMilliseconds = 200

    /// Without any event the directories are looked at all the same, since inotify does not tell of everything.
    package var auditMilliseconds = 60_000

    /// How often they are looked at where they cannot be watched.
    package var unwatchedMilliseconds = 1_000

    /// After a failure: the first pause, which doubles up to the longest.
    package var firstRetryMilliseconds = 250
    package var longestRetryMilliseconds = 5_000

    /// How often the warning about a quarrel is repeated.
    package var quarrelMilliseconds = 60_000

    package init() {}
}
