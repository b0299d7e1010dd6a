internal import LinuxKernel
internal import Logging
internal import NIOPosix
internal import ServiceLifecycle
internal import Synchronization

/// Ends the process when a service of the agent has hung (architecture, decision 23): the official chart has no
/// liveness probe, and an agent that runs but does nothing keeps every mesh pod of its node from starting.
///
/// It has threads of its own, since a service that blocks may hold all those of Swift's tasks. As a service it makes
/// progress itself, on those, and so finds out when they are held.
package final class Watchdog: Service {
    private let state: Mutex<WatchdogState>
    private let isOver = Atomic(false)
    private let end: @Sendable (WatchdogState.Stall) -> Void

    /// How long a service may make no progress.
    package static let limitMilliseconds = 15_000

    /// Well under the limit, and no work.
    private static let lookMilliseconds = 1_000

    /// How soon the watchdog's thread notices that the agent ends.
    private static let pauseMilliseconds = 100

    /// - Parameters:
    ///   - limitMilliseconds: How long a service may make no progress.
    ///   - end: Called once a service has hung, on a thread of the watchdog's.
    package init(
        limitMilliseconds: Int = limitMilliseconds,
        end: @escaping @Sendable (WatchdogState.Stall) -> Void = endProcess
    ) {
        state = Mutex(WatchdogState(limitMilliseconds: limitMilliseconds))
        self.end = end
    }

    /// A handle for one service, which must make progress from now on.
    package func heartbeat(_ service: String) -> Heartbeat {
        let heartbeat = Heartbeat(service: service, watchdog: self)
        heartbeat.beat()
        return heartbeat
    }

    fileprivate func beat(_ service: String) {
        state.withLock { state in state.beat(service, at: Clock.monotonicMilliseconds()) }
    }

    fileprivate func rest(_ service: String) {
        state.withLock { state in state.rest(service) }
    }

    /// Begins to watch, at once and on a thread of its own; ``run()`` ends it.
    package func start() {
        let thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
        thread.submit { [self] _ in
            watch()
            thread.shutdownGracefully { _ in }
        }
    }

    private func watch() {
        var nextLook = Clock.monotonicMilliseconds()
        while !isOver.load(ordering: .acquiring) {
            let now = Clock.monotonicMilliseconds()
            if now >= nextLook {
                if let stall = state.withLock({ state in state.look(at: now) }) {
                    end(stall)
                    return
                }
                nextLook = now + Self.lookMilliseconds
            }
            Clock.sleep(milliseconds: Self.pauseMilliseconds)
        }
    }

    package func run() async throws {
        let tasks = heartbeat("tasks")
        // Cut short by the end of the agent, which has a time limit of its own.
        try? await cancelWhenGracefulShutdown {
            while true {
                tasks.beat()
                try await Task.sleep(for: .milliseconds(Self.lookMilliseconds))
            }
        }
        stop()
    }

    /// Ends what ``start()`` began.
    func stop() { isOver.store(true, ordering: .releasing) }

    /// Says why, and ends the process with status 1.
    ///
    /// The log is written on another thread, since what hangs may be whoever reads the log.
    @Sendable package static func endProcess(_ stall: WatchdogState.Stall) {
        let isWritten = Atomic(false)
        let writer = NIOThreadPool(numberOfThreads: 1)
        writer.start()
        writer.submit { _ in
            Logger(label: LogScope.agent).critical(
                "a service of the agent hangs; ending, so that the kubelet starts the agent again",
                metadata: ["service": "\(stall.service)", "milliseconds": "\(stall.milliseconds)"]
            )
            isWritten.store(true, ordering: .releasing)
        }
        let deadline = Clock.monotonicMilliseconds() + lookMilliseconds
        while !isWritten.load(ordering: .acquiring), Clock.monotonicMilliseconds() < deadline {
            Clock.sleep(milliseconds: 1)
        }
        OwnProcess.exit(1)
    }
}

/// What one service tells the watchdog.
package struct Heartbeat: Sendable {
    fileprivate let service: String
    fileprivate let watchdog: Watchdog

    /// The service has made progress: to be called at least every few seconds.
    package func beat() { watchdog.beat(service) }

    /// The service waits for something that may never come, or has ended; nothing is expected until its next beat.
    package func rest() { watchdog.rest(service) }

    /// Does work that must end soon; before and after it nothing is expected.
    package func during(_ work: () -> Void) {
        beat()
        defer { rest() }
        work()
    }
}
