package import CNIProtocol
package import Logging
internal import Synchronization

/// Lists objects, watches them from then on, and tells one consumer.
///
/// It never gives up: what goes wrong is told, and tried again after a pause.
package struct Reflector: Sendable {
    /// What the consumer is told, in order.
    package enum Notice: Equatable, Sendable {
        /// A list begins. If it fails, another begins, and what came of this one counts for nothing.
        case listBegins

        /// One object of the list.
        case listed(JSONValue)

        /// The list is whole: an object that was not in it is gone.
        case listEnds

        case changed(JSONValue)
        case deleted(JSONValue)

        /// One object of a list cannot be read; the others count.
        case unreadable(String)

        /// The server answers. Sent at the end of a list and at the start of a watch.
        case healthy

        /// A list or a watch came to its end; there will be another. With the reason in words.
        case interrupted(Interruption, String)
    }

    private let client: KubernetesClient
    private let query: ObjectQuery
    private let logger: Logger
    private let random: @Sendable () -> Double
    private let sleep: Sleep

    /// Lets time pass, until its task is cancelled.
    package typealias Sleep = @Sendable (Duration) async throws -> Void

    /// Makes one that asks through `client`; `sleep` lets the pauses after failures pass, and that of a test takes no time.
    package init(
        client: KubernetesClient,
        query: ObjectQuery,
        logger: Logger,
        random: @escaping @Sendable () -> Double = { .random(in: 0..<1) },
        sleep: @escaping Sleep = { pause in try await Task.sleep(for: pause) }
    ) {
        self.client = client
        self.query = query
        self.logger = logger
        self.random = random
        self.sleep = sleep
    }

    /// Runs until its task is cancelled.
    ///
    /// The consumer is never called twice at once, and holds up the stream while it works.
    package func run(_ consumer: @escaping @Sendable (Notice) -> Void) async {
        let machine = Machine(random: random)
        var action = machine.next()
        while !Task.isCancelled {
            switch action {
            case .list(let freshness): action = await list(freshness, machine, consumer)
            case .watch(let version, let seconds): action = await watch(from: version, seconds, machine, consumer)
            case .wait(let pause):
                // Cut short by the end of the agent, which the loop sees by itself.
                try? await sleep(pause)
                action = machine.next()
            }
        }
    }

    private func list(
        _ freshness: ListWatch.Freshness,
        _ machine: Machine,
        _ consumer: @escaping @Sendable (Notice) -> Void
    ) async -> ListWatch.Action {
        let start = ContinuousClock.now
        consumer(.listBegins)
        do throws(APIError) {
            let metadata = try await client.list(query, freshness) { bytes in
                do throws(JSONError) {
                    consumer(.listed(try JSONValue(parsing: bytes)))
                } catch {
                    let reason = "an object of \(bytes.count) bytes: \(error.description)"
                    logger.error("listed object cannot be read", metadata: ["reason": "\(reason)"])
                    consumer(.unreadable(reason))
                }
            }
            consumer(.listEnds)
            consumer(.healthy)
            return machine.listed(at: metadata.version)
        } catch {
            return interrupted(error, since: start, machine, consumer)
        }
    }

    private func watch(
        from version: ResourceVersion,
        _ seconds: Int,
        _ machine: Machine,
        _ consumer: @escaping @Sendable (Notice) -> Void
    ) async -> ListWatch.Action {
        let start = ContinuousClock.now
        do throws(APIError) {
            try await client.watch(query, from: version, seconds: seconds) {
                consumer(.healthy)
            } event: { event in
                switch event {
                case .changed(let object, let version):
                    consumer(.changed(object))
                    machine.advanced(to: version)
                case .deleted(let object, let version):
                    consumer(.deleted(object))
                    machine.advanced(to: version)
                case .bookmark(let version): machine.advanced(to: version)
                case .unknown(let type): logger.warning("unknown event of a watch", metadata: ["type": "\(type)"])
                case .error: break  // Thrown by the client.
                }
            }
            consumer(.interrupted(.ended, "the API server ended the watch"))
            return machine.interrupted(by: .ended, lasted: .now - start)
        } catch {
            return interrupted(error, since: start, machine, consumer)
        }
    }

    private func interrupted(
        _ error: APIError,
        since start: ContinuousClock.Instant,
        _ machine: Machine,
        _ consumer: (Notice) -> Void
    ) -> ListWatch.Action {
        let interruption = Interruption(error)
        if !Task.isCancelled {
            logger.warning(
                "watch interrupted",
                metadata: ["interruption": "\(interruption.rawValue)", "reason": "\(error.description)"]
            )
            consumer(.interrupted(interruption, error.description))
        }
        return machine.interrupted(by: interruption, lasted: .now - start, retryAfter: error.status?.retryAfter)
    }
}

/// The state machine, where the loop and the stream of a watch can both tell it.
private final class Machine: Sendable {
    private let state: Mutex<ListWatch>

    init(random: @escaping @Sendable () -> Double) { state = Mutex(ListWatch(random: random)) }

    func next() -> ListWatch.Action { state.withLock { state in state.next() } }

    func listed(at version: ResourceVersion) -> ListWatch.Action {
        state.withLock { state in state.listed(at: version) }
    }

    func advanced(to version: ResourceVersion) { state.withLock { state in state.advanced(to: version) } }

    func interrupted(by interruption: Interruption, lasted: Duration, retryAfter: Duration? = nil) -> ListWatch.Action {
        state.withLock { state in state.interrupted(by: interruption, lasted: lasted, retryAfter: retryAfter) }
    }
}
