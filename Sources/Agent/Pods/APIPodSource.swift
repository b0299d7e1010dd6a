internal import CNIProtocol
package import Kubernetes
internal import Logging
internal import Metrics
internal import ServiceLifecycle
internal import Synchronization

/// Keeps the agent's pods as the API server has them: a list, then every change.
package struct APIPodSource: Service {
    private let reflector: Reflector
    private let updates: PodUpdates
    private let heartbeat: Heartbeat?

    /// Makes a source for the pods of a query, which keeps the named annotations beside those that decide about
    /// redirection, and tells `health` what readiness has to know.
    ///
    /// The heart beats while news is taken in. Waiting for news may last for ever, and the client has time limits for it.
    package init(
        client: KubernetesClient,
        query: ObjectQuery,
        pods: PodDirectory,
        keeping annotations: Set<String> = [],
        health: PodSourceHealth = PodSourceHealth(),
        heartbeat: Heartbeat? = nil,
        sleep: @escaping Reflector.Sleep = { pause in try await Task.sleep(for: pause) }
    ) {
        heartbeat?.rest()
        self.heartbeat = heartbeat
        let logger = Logger(label: LogScope.agent)
        reflector = Reflector(client: client, query: query, logger: logger, sleep: sleep)
        updates = PodUpdates(pods: pods, annotations: annotations, health: health, logger: logger)
    }

    package func run() async throws {
        let (reflector, updates, heartbeat) = (reflector, updates, heartbeat)
        await cancelWhenGracefulShutdown {
            await reflector.run { notice in
                if let heartbeat { heartbeat.during { updates.take(notice) } } else { updates.take(notice) }
            }
        }
    }
}

/// Takes what a watch says into the directory of pods.
final class PodUpdates: Sendable {
    private let pods: PodDirectory
    private let annotations: Set<String>
    private let health: PodSourceHealth
    private let logger: Logger

    /// The pods of a list that is not whole yet.
    private let listed = Mutex([NodePod]())

    init(pods: PodDirectory, annotations: Set<String>, health: PodSourceHealth, logger: Logger) {
        self.pods = pods
        self.annotations = annotations
        self.health = health
        self.logger = logger
    }

    func take(_ notice: Reflector.Notice) {
        switch notice {
        case .listBegins:
            listed.withLock { listed in listed = [] }
            health.asked()
        case .listed(let object):
            if let pod = read(object) { listed.withLock { listed in listed.append(pod) } }
        case .listEnds:
            let all = listed.withLock { listed in
                let all = listed
                listed = []
                return all
            }
            pods.replaceAll(all)
            logger.info("pods are read", metadata: ["pods": "\(all.count)"])
        case .changed(let object): change(object)
        case .deleted(let object):
            let metadata = object["metadata"]
            pods.remove(
                namespace: metadata?["namespace"]?.string ?? "default",
                name: metadata?["name"]?.string ?? "",
                uid: metadata?["uid"]?.string ?? ""
            )
        case .unreadable: Counter(label: "controller_sync_errors_total").increment()
        case .healthy: health.recovered()
        case .interrupted(let interruption, let reason):
            Counter(label: "istio_cni_watch_restarts_total").increment()
            guard interruption != .ended else { return }
            Counter(label: "controller_sync_errors_total").increment()
            health.failed(reason)
        }
    }

    private func change(_ object: JSONValue) {
        guard let pod = read(object), !pods.update(pod) else { return }
        logger.error(
            "there are more pods than the agent takes; this one is looked up when it starts",
            metadata: ["pod": "\(pod.fullName)", "limit": "\(PodDirectory.mostPods)"]
        )
    }

    /// The pod, or nil where the object is none; what was known of it before stays.
    private func read(_ object: JSONValue) -> NodePod? {
        do throws(PodError) {
            return try NodePod(object, keeping: annotations)
        } catch {
            let metadata = object["metadata"]
            let name = "\(metadata?["namespace"]?.string ?? "")/\(metadata?["name"]?.string ?? "")"
            logger.error(
                "object of the API server is no pod that can be read",
                metadata: ["pod": "\(name)", "reason": "\(error.description)"]
            )
            Counter(label: "controller_sync_errors_total").increment()
            return nil
        }
    }
}
