internal import Synchronization

/// The time is over.
struct TimeLimitReached: Error {
    let limit: Duration
}

/// Nothing came for so long.
struct SilenceLimitReached: Error {
    let limit: Duration
}

/// Runs `body`, and cancels it when the time is over.
func withTimeLimit<Value: Sendable>(
    _ limit: Duration,
    _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw TimeLimitReached(limit: limit)
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}

/// Runs `body`, and cancels it once it has not called `heard` for so long.
func withSilenceLimit<Value: Sendable>(
    _ limit: Duration,
    _ body: @escaping @Sendable (_ heard: @Sendable () -> Void) async throws -> Value
) async throws -> Value {
    let last = LastHeard()
    return try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await body { last.heard() } }
        group.addTask {
            while true {
                let end = last.moment.advanced(by: limit)
                guard ContinuousClock.now < end else { throw SilenceLimitReached(limit: limit) }
                try await Task.sleep(until: end, clock: .continuous)
            }
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}

private final class LastHeard: Sendable {
    private let state = Mutex(ContinuousClock.now)

    var moment: ContinuousClock.Instant { state.withLock { moment in moment } }

    func heard() { state.withLock { moment in moment = .now } }
}
