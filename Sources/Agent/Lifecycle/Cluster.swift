package import Kubernetes
internal import LinuxKernel
internal import Logging
internal import ServiceLifecycle

/// What an agent with an API server needs of it.
package struct Cluster: Sendable {
    package let client: KubernetesClient
    package let events: EventRecorder

    /// - Throws: The setting that is missing or makes no sense.
    package init(_ configuration: AgentConfiguration, version: String) throws(ConfigurationError) {
        let server = configuration.server
        let directory = server.serviceAccountDirectory
        let readFile: ServiceAccount.ReadFile = { path, byteLimit in try File.read(path, byteLimit: byteLimit) }
        client = KubernetesClient(
            server: try ServerAddress(
                scheme: server.isEncrypted ? .https : .http,
                host: server.host,
                port: server.port
            ),
            account: ServiceAccount(
                tokenPath: "\(directory)/token",
                certificatePath: "\(directory)/ca.crt",
                readFile: readFile
            ),
            resolver: NameResolver(readFile: readFile),
            userAgent: "install-cni/\(version)"
        )
        events = EventRecorder(
            client: client,
            source: EventSource(host: configuration.node.name),
            logger: Logger(label: LogScope.agent),
            timestamp: { Clock.timestamp() }
        )
    }
}

/// Sends Events until the agent ends, and then closes the connections to the API server.
///
/// It comes first, since everything that asks the API server must have ended before.
struct ClusterService: Service {
    let cluster: Cluster

    func run() async throws {
        let events = cluster.events
        await cancelWhenGracefulShutdown { await events.run() }
        await cluster.client.shutDown()
    }
}
