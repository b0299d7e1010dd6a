internal import CNIProtocol
package import Logging
internal import Synchronization

/// Writes Events, for the users whom they concern.
///
/// Nothing waits for one: an Event is queued, and dropped where the queue is full. The first answer that the agent
/// may not write them switches them off.
package final class EventRecorder: Sendable {
    /// The most Events that wait: repair may find as many pods at once.
    private static let longestQueue = 128

    private let client: KubernetesClient
    private let source: EventSource
    private let timestamp: @Sendable () -> String
    private let logger: Logger
    private let events: AsyncStream<ClusterEvent>
    private let queue: AsyncStream<ClusterEvent>.Continuation
    private let isOff = Mutex(false)

    /// Makes a recorder; `timestamp` says the time in UTC as RFC 3339 writes it.
    package init(
        client: KubernetesClient,
        source: EventSource,
        logger: Logger,
        timestamp: @escaping @Sendable () -> String
    ) {
        self.client = client
        self.source = source
        self.logger = logger
        self.timestamp = timestamp
        (events, queue) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.longestQueue))
    }

    /// Whether the agent may not write Events.
    package var isSwitchedOff: Bool { isOff.withLock { isOff in isOff } }

    /// Queues an Event.
    package func record(_ event: ClusterEvent) {
        guard !isSwitchedOff else { return }
        if case .dropped = queue.yield(event) {
            logger.warning("too many Events; one is dropped", metadata: Self.metadata(event))
        }
    }

    /// Sends Events until its task is cancelled, even where the agent may not write them: a service that ends early
    /// would end the agent.
    package func run() async {
        var series = EventSeries()
        let start = ContinuousClock.now
        for await event in events where !isSwitchedOff {
            let seconds = Int((ContinuousClock.now - start).components.seconds)
            let action = series.add(event, atSeconds: seconds)
            do throws(APIError) {
                try await send(event, action, &series)
            } catch {
                guard !switchesOff(error) else { continue }
                var metadata = Self.metadata(event)
                metadata["error"] = "\(error.description)"
                logger.warning("Event is not written", metadata: metadata)
            }
        }
    }

    private func send(
        _ event: ClusterEvent,
        _ action: EventSeries.Action,
        _ series: inout EventSeries
    ) async throws(APIError) {
        let namespace = event.subject.eventNamespace
        switch action {
        case .holdBack: logger.debug("Event is held back", metadata: Self.metadata(event))
        case .create(let count): try await create(event, count, &series)
        case .patch(let name, let count):
            guard let path = ResourcePath.event(name, in: namespace) else { return }
            do throws(APIError) {
                try await client.patch(path, with: event.patch(time: timestamp(), count: count), as: .merge)
            } catch {
                guard error.status?.code == 404 else { throw error }
                // It was there longer than the server keeps Events.
                series.lost(event)
                try await create(event, count, &series)
            }
        }
    }

    private func create(_ event: ClusterEvent, _ count: Int, _ series: inout EventSeries) async throws(APIError) {
        guard let path = ResourcePath.events(in: event.subject.eventNamespace) else { return }
        let object = event.object(source: source, time: timestamp(), count: count)
        let created = try await client.create(object, in: path)
        if let name = created["metadata"]?["name"]?.string { series.created(event, name: name) }
    }

    /// Whether the agent may not write Events, which holds from now on.
    private func switchesOff(_ error: APIError) -> Bool {
        // A namespace that is being deleted takes nothing new from anybody.
        guard let status = error.status, status.code == 403, !status.causes.contains("NamespaceTerminating") else {
            return false
        }
        isOff.withLock { isOff in isOff = true }
        logger.warning(
            "Events are off: the agent may not write them (the chart grants it with repair.enabled)",
            metadata: ["error": "\(error.description)"]
        )
        return true
    }

    private static func metadata(_ event: ClusterEvent) -> Logger.Metadata {
        [
            "kind": "\(event.subject.kind)", "name": "\(event.subject.namespace)/\(event.subject.name)",
            "reason": "\(event.reason)", "message": "\(event.message)",
        ]
    }
}
