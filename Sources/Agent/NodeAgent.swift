internal import LinuxKernel
internal import Logging
internal import Metrics
internal import Redirect
package import ServiceLifecycle
package import UnixSignals

/// The agent of one node: what runs there all day.
package struct NodeAgent: Sendable {
    package let settings: Settings

    package struct Settings: Sendable {
        /// Where the sockets are (`--cni-agent-run-dir`).
        package var runDirectory: String
        package var podSource: PodSource
        package var backend: BackendChoice
        package var version: String
        package var limits = SocketLimits()

        /// Nobody asks about an agent that a test or `try` runs.
        package var ports = AgentConfiguration.Ports()

        /// What `/metrics` tells; nil: nothing.
        package var metrics: MetricsRegistry?

        /// Ends the process if a service hangs; nil where the process is not the agent's own.
        package var watchdog: Watchdog?

        package init(runDirectory: String, podSource: PodSource, backend: BackendChoice, version: String) {
            self.runDirectory = runDirectory
            self.podSource = podSource
            self.backend = backend
            self.version = version
        }
    }

    /// Where the pods come from (`--pod-source`).
    package enum PodSource: Equatable, Sendable {
        case directory(String)

        /// Reads `directory:PATH`.
        package init?(_ text: String) {
            guard text.hasPrefix("directory:"), text.utf8.count > "directory:".utf8.count else { return nil }
            self = .directory(String(text.dropFirst("directory:".count)))
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

    /// Only root and its group look inside.
    static let runDirectoryMode: UInt32 = 0o750

    package init(_ settings: Settings) { self.settings = settings }

    /// Runs until SIGTERM or SIGINT.
    package func run() async throws {
        try await makeServiceGroup(signals: [.sigterm, .sigint]).run()
    }

    /// Everything that runs, in the order in which it starts; it ends in the opposite order.
    ///
    /// The run directory is made here. Tests give no signals.
    package func makeServiceGroup(signals: [UnixSignal]) throws -> ServiceGroup {
        let directory = settings.runDirectory
        guard directory.utf8.count + Self.socketNameBytes <= SocketFile.longestPathBytes else {
            throw Failure.pathTooLong(directory)
        }
        try Directory.make(directory, mode: Self.runDirectoryMode)

        let logger = Logger(label: LogScope.agent)
        let pods = PodDirectory()
        let socketFlag = ReadinessFlag("the socket is not served yet")
        let readiness = Readiness([
            Readiness.Condition("socket", socketFlag),
            Readiness.Condition("pods") { pods.isComplete ? nil : "the pods of this node have not been read yet" },
        ])
        let status = AgentStatus(backend: settings.backend, version: settings.version, readiness: readiness)
        let decisions = AddDecisions(pods: pods, backend: settings.backend.backend)
        logger.info(
            "agent starts",
            metadata: [
                "version": "\(settings.version)", "backend": "\(settings.backend.backend.rawValue)",
                "reason": "\(settings.backend.reason)", "run_directory": "\(directory)",
            ]
        )
        var services = observers(readiness: readiness, pods: pods)
        services.append(WriterLock(runDirectory: directory, status: status))
        switch settings.podSource {
        case .directory(let path):
            services.append(
                DirectoryPodSource(directory: path, pods: pods, heartbeat: settings.watchdog?.heartbeat("pods"))
            )
        }
        services.append(LogServer(runDirectory: directory, limits: settings.limits))
        services.append(
            PluginServer(
                runDirectory: directory,
                decisions: decisions,
                status: status,
                limits: settings.limits,
                isServed: socketFlag
            )
        )
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .notice)
        return ServiceGroup(
            configuration: .init(services: services, gracefulShutdownSignals: signals, logger: quiet)
        )
    }

    /// Those that tell how the agent is, which come first and go last.
    private func observers(readiness: Readiness, pods: PodDirectory) -> [any Service] {
        var services: [any Service] = []
        if let watchdog = settings.watchdog {
            watchdog.start()
            services.append(watchdog)
            services.append(
                SocketProbe(runDirectory: settings.runDirectory, heartbeat: watchdog.heartbeat("socket"))
            )
        }
        if let port = settings.ports.health { services.append(HealthServer(port: port, readiness: readiness)) }
        if let port = settings.ports.monitoring, let metrics = settings.metrics {
            services.append(
                MetricsServer(port: port, registry: metrics) {
                    for (state, count) in pods.counts {
                        Gauge(label: "istio_cni_pods", dimensions: [("state", state.rawValue)]).record(count)
                    }
                }
            )
        }
        return services
    }
}
