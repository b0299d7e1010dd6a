internal import AgentProtocol
internal import Kubernetes
internal import Metrics
internal import ServiceLifecycle

/// The services of an agent, and what they share.
struct NodeServices {
    private let settings: NodeAgent.Settings
    private let configuration: AgentConfiguration
    private let pods = PodDirectory()
    private let installState = InstallState()
    private let sourceHealth: PodSourceHealth
    private let socketFlag = ReadinessFlag("the socket is not served yet")
    private let status: AgentStatus

    /// Nil where pods come from a directory.
    private let cluster: Cluster?

    init(_ settings: NodeAgent.Settings) throws(ConfigurationError) {
        self.settings = settings
        configuration = settings.configuration
        sourceHealth = PodSourceHealth(now: settings.now)
        cluster =
            configuration.podSource == .server
            ? try Cluster(configuration, version: settings.version) : nil
        status = AgentStatus(
            backend: settings.backend,
            version: settings.version,
            readiness: Self.readiness(configuration, pods, installState, sourceHealth, socketFlag),
            nodeName: configuration.node.name,
            install: installState
        )
    }

    /// In the order in which they start: those that tell how the agent is first and so to the last; the plugin is
    /// installed once its questions have somebody to answer them.
    var all: [any Service] {
        get throws {
            var services = observers
            services.append(WriterLock(runDirectory: configuration.node.runDirectory, status: status))
            if let cluster { services.append(ClusterService(cluster: cluster)) }
            services.append(podSource)
            services += servers
            if !configuration.install.isSkipped {
                let install = InstallSettings(configuration)
                services.append(departure(install))
                services.append(try installer(install))
            }
            services.append(repair)
            services.append(StartUpCode(readiness: status.readiness))
            return services
        }
    }

    /// What must hold for the agent to be ready.
    private static func readiness(
        _ configuration: AgentConfiguration,
        _ pods: PodDirectory,
        _ install: InstallState,
        _ source: PodSourceHealth,
        _ socket: ReadinessFlag
    ) -> Readiness {
        var conditions = [
            Readiness.Condition("socket", socket),
            Readiness.Condition("pods") {
                // What went wrong says more than that nothing is there yet.
                source.obstacle ?? (pods.isComplete ? nil : "the pods of this node have not been read yet")
            },
        ]
        if !configuration.install.isSkipped {
            conditions.append(
                Readiness.Condition("installed") {
                    let reasons = install.report.reasons
                    return reasons.isEmpty ? nil : reasons.joined(separator: "; ")
                }
            )
        } else if configuration.ambient.isEnabled {
            conditions.append(
                Readiness.Condition("ambient") { "AMBIENT_ENABLED is true, and there is no ambient mode" }
            )
        }
        return Readiness(conditions)
    }

    // MARK: - Those that tell how the agent is

    private var observers: [any Service] {
        var services: [any Service] = []
        if let watchdog = settings.watchdog {
            watchdog.start()
            services.append(watchdog)
            services.append(
                SocketProbe(
                    runDirectory: configuration.node.runDirectory,
                    heartbeat: watchdog.heartbeat("socket")
                )
            )
        }
        if let port = configuration.ports.health {
            services.append(HealthServer(port: port, readiness: status.readiness))
        }
        if let port = configuration.ports.monitoring, let metrics = settings.metrics {
            services.append(
                MetricsServer(port: port, registry: metrics) { [pods] in
                    for (state, count) in pods.counts {
                        Gauge(label: "istio_cni_pods", dimensions: [("state", state.rawValue)]).record(count)
                    }
                }
            )
        }
        return services
    }

    // MARK: - Pods and plugins

    private var podSource: any Service {
        if case .directory(let path) = configuration.podSource {
            return DirectoryPodSource(
                directory: path,
                pods: pods,
                keeping: repairSettings.keptNames,
                heartbeat: settings.watchdog?.heartbeat("pods")
            )
        }
        guard let cluster else { preconditionFailure("pods of the API server need a cluster, which `init` makes") }
        return APIPodSource(
            client: cluster.client,
            query: .pods(onNode: configuration.node.name),
            pods: pods,
            keeping: repairSettings.keptNames,
            health: sourceHealth,
            heartbeat: settings.watchdog?.heartbeat("pods"),
            sleep: settings.sleep
        )
    }

    private var servers: [any Service] {
        let decisions = AddDecisions(pods: pods, backend: settings.backend.backend, lookup: lookup)
        return [
            LogServer(runDirectory: configuration.node.runDirectory, limits: settings.limits),
            PluginServer(
                runDirectory: configuration.node.runDirectory,
                decisions: decisions,
                status: status,
                limits: settings.limits,
                isServed: socketFlag
            ),
        ]
    }

    /// Asks the API server about pods that the watch has not shown yet.
    private var lookup: AddDecisions.Lookup? {
        guard let cluster else { return nil }
        let lookup = LivePodLookup(
            client: cluster.client,
            node: configuration.node.name,
            pods: pods,
            keeping: repairSettings.keptNames
        )
        return { namespace, name throws(AddRefusal) in try await lookup.pod(namespace: namespace, name: name) }
    }

    // MARK: - The node

    private func departure(_ install: InstallSettings) -> Departure {
        Departure(
            uninstaller: Uninstaller(install),
            status: status,
            questions: cluster.map { cluster in ExitQuestions(client: cluster.client, node: configuration.node) }
        )
    }

    private func installer(_ install: InstallSettings) throws(InstallError) -> Installer {
        let (status, node, events) = (status, configuration.node.name, cluster?.events)
        return try Installer(
            install,
            pauses: settings.pauses,
            state: installState,
            role: { status.role },
            onQuarrel: { quarrel in
                events?.record(
                    ClusterEvent(
                        .warning,
                        about: .node(node),
                        reason: "CNIConfigurationRewritten",
                        message: "Another program has rewritten \(quarrel.file) \(quarrel.rewrites) times within a "
                            + "minute; without the plugin's entry pods bypass the mesh. To end it: \(quarrel.advice)."
                    )
                )
            },
            heartbeat: settings.watchdog?.heartbeat("installation")
        )
    }

    private var repairSettings: RepairSettings { RepairSettings(configuration) }

    private var repair: RepairService {
        RepairService(
            pods: pods,
            status: status,
            settings: repairSettings,
            finder: SandboxFinder(processDirectory: configuration.repair.processDirectory),
            actions: cluster.map { cluster in RepairActions.through(cluster.client, events: cluster.events) } ?? .none,
            heartbeat: settings.watchdog?.heartbeat("repair")
        )
    }
}
