package import Kubernetes
internal import LinuxKernel
internal import Logging
internal import Redirect
package import ServiceLifecycle
internal import UnixSignals

/// The agent of one node: what runs there all day.
package struct NodeAgent: Sendable {
    package let settings: Settings

    package struct Settings: Sendable {
        package var configuration: AgentConfiguration
        package var backend: BackendChoice
        package var version: String
        package var limits = SocketLimits()

        /// How long the installer waits for what.
        package var pauses = InstallPauses()

        /// Lets the pauses pass after which the API server is asked again.
        package var sleep: Reflector.Sleep = { pause in try await Task.sleep(for: pause) }

        /// A clock in milliseconds that never goes back, for how long the pods have been old.
        package var now: @Sendable () -> Int = { Clock.monotonicMilliseconds() }

        /// What `/metrics` tells; nil: nothing.
        package var metrics: MetricsRegistry?

        /// Ends the process if a service hangs; nil where the process is not the agent's own.
        package var watchdog: Watchdog?

        package init(configuration: AgentConfiguration, backend: BackendChoice, version: String) {
            self.configuration = configuration
            self.backend = backend
            self.version = version
        }
    }

    /// Why the agent cannot start.
    package enum Failure: Error, Equatable, CustomStringConvertible {
        case pathTooLong(String)

        package var description: String {
            switch self {
            case .pathTooLong(let path):
                "the run directory \(path) is too long: a socket's path has at most "
                    + "\(SocketFile.longestPathBytes) bytes, and the agent needs \(NodeAgent.socketNameBytes) of them"
            }
        }
    }

    /// `/pluginevent.sock` and the ending of its temporary name.
    fileprivate static let socketNameBytes = PluginServer.socketName.utf8.count + 10

    /// How long the end may take, in seconds: the kubelet kills after 30 s in the official chart.
    private static let longestEndSeconds = 25

    package init(_ settings: Settings) { self.settings = settings }

    /// Runs until SIGTERM or SIGINT; a second one cuts the end short.
    package func run() async throws {
        let group = try makeServiceGroup()
        try await withThrowingTaskGroup(of: Bool.self) { tasks in
            tasks.addTask {
                try await group.run()
                return true
            }
            tasks.addTask {
                await end(group, on: await UnixSignalsSequence(trapping: .sigterm, .sigint))
                return false
            }
            // A second signal ends the wait for the services, which are then cancelled.
            _ = try await tasks.next()
            tasks.cancelAll()
            do {
                try await tasks.waitForAll()
            } catch is CancellationError {
                // What the second signal asked for.
            }
        }
    }

    /// Returns at the second signal.
    private func end(_ group: ServiceGroup, on signals: UnixSignalsSequence) async {
        let logger = Logger(label: LogScope.agent)
        var isEnding = false
        for await signal in signals {
            logger.info("signal received", metadata: ["signal": "\(signal)", "hurries": "\(isEnding)"])
            if isEnding { return }
            isEnding = true
            await group.triggerGracefulShutdown()
        }
    }

    /// Everything that runs, in the order in which it starts; it ends in the opposite order.
    ///
    /// The run directory is made here.
    package func makeServiceGroup() throws -> ServiceGroup {
        let directory = settings.configuration.node.runDirectory
        guard directory.utf8.count + Self.socketNameBytes <= SocketFile.longestPathBytes else {
            throw Failure.pathTooLong(directory)
        }
        let logger = Logger(label: LogScope.agent)
        try RunDirectory.prepare(directory, logger)

        logger.info(
            "agent starts",
            metadata: [
                "version": "\(settings.version)", "backend": "\(settings.backend.backend.rawValue)",
                "reason": "\(settings.backend.reason)", "run_directory": "\(directory)",
                "node": "\(settings.configuration.node.name)",
                "repair": "\(settings.configuration.repair.mode.rawValue)",
            ]
        )
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .notice)
        var configuration = ServiceGroupConfiguration(services: try NodeServices(settings).all, logger: quiet)
        configuration.maximumGracefulShutdownDuration = .seconds(Self.longestEndSeconds)
        return ServiceGroup(configuration: configuration)
    }
}
