/// What to do next to keep up with a list of objects.
///
/// The machine holds no connection and no clock. It is told what happened and says what to do, so a test can walk
/// every path of it without either.
package struct ListWatch: Sendable {
    package enum State: Equatable, Sendable {
        /// All objects are asked for. Next: `watching`, or `waiting` when the list fails.
        case listing(Freshness)

        /// Every change up to `from` is known. Next: itself when the server ends the watch in its own time,
        /// `listing` when it has forgotten the version, or `waiting` after anything else.
        case watching(from: ResourceVersion)

        /// A pause before another attempt. Next: `listing` or `watching`, as it says.
        case waiting(then: Step)
    }

    /// What a pause is followed by.
    package enum Step: Equatable, Sendable {
        case list(Freshness)
        case watch(from: ResourceVersion)
    }

    /// How old a list may be.
    package enum Freshness: Equatable, Sendable {
        /// Whatever the server has in memory (`resourceVersion=0`), which costs it next to nothing.
        case anyAge

        /// Not older than what is known already: no `resourceVersion` at all.
        case mostRecent
    }

    package enum Action: Equatable, Sendable {
        case list(Freshness)

        /// The server is asked to end the watch after so many seconds.
        case watch(from: ResourceVersion, seconds: Int)

        case wait(Duration)
    }

    /// The pause after a first failure: an object that changes meanwhile is known that much later.
    package static let shortestPause = Duration.milliseconds(200)

    /// The longest pause of our own accord: a server that is back is noticed within it.
    package static let longestPause = Duration.seconds(30)

    /// The longest pause that a server may ask for.
    package static let longestRequestedPause = Duration.seconds(120)

    /// What a watch lasts at least to count as a success: below it a server that ends each watch at once would be asked without a pause.
    package static let stableWatch = Duration.seconds(10)

    /// How long a watch is asked to last: random, so that the agents of a cluster do not come back together.
    package static let watchSeconds = 300...600

    package private(set) var state = State.listing(.anyAge)

    /// Failures since the last watch that was stable.
    private var failures = 0

    /// Whether the version to watch from is that of the list itself.
    private var isAtList = false

    /// A number from 0 up to 1.
    private let random: @Sendable () -> Double

    package init(random: @escaping @Sendable () -> Double = { .random(in: 0..<1) }) { self.random = random }

    /// What to do in this state: at first, and when a pause is over.
    package mutating func next() -> Action {
        if case .waiting(let step) = state {
            switch step {
            case .list(let freshness): state = .listing(freshness)
            case .watch(let version): state = .watching(from: version)
            }
        }
        switch state {
        case .listing(let freshness): return .list(freshness)
        case .watching(let version), .waiting(.watch(let version)):
            let range = Self.watchSeconds
            return .watch(from: version, seconds: range.lowerBound + Int(random() * Double(range.count)))
        case .waiting(.list(let freshness)): return .list(freshness)
        }
    }

    /// A list arrived.
    package mutating func listed(at version: ResourceVersion) -> Action {
        isAtList = true
        state = .watching(from: version)
        return next()
    }

    /// A change or a bookmark arrived: all up to `version` is known.
    package mutating func advanced(to version: ResourceVersion) {
        guard case .watching = state else { return }
        isAtList = false
        state = .watching(from: version)
    }

    /// A list failed or a watch ended, `lasted` after it was asked for.
    package mutating func interrupted(
        by interruption: Interruption,
        lasted: Duration,
        retryAfter: Duration? = nil
    ) -> Action {
        var isAtOnce = false
        switch state {
        case .listing(let freshness), .waiting(.list(let freshness)):
            state = .waiting(then: .list(interruption == .expired ? .mostRecent : freshness))
        case .watching(let version), .waiting(.watch(let version)):
            let isStable = lasted >= Self.stableWatch
            if isStable { failures = 0 }
            isAtOnce = interruption == .ended && isStable || interruption == .expired && !isAtList
            // A version that has expired, or a change that cannot be read, is only passed by with a new list.
            let isLost = interruption == .expired || interruption == .unreadable
            state = .waiting(then: isLost ? .list(.mostRecent) : .watch(from: version))
        }
        guard !isAtOnce else { return next() }
        failures += 1
        return .wait(pause(retryAfter: retryAfter))
    }

    /// Doubles with each failure; half of it is random, so that the agents of a cluster do not come back together.
    private func pause(retryAfter: Duration?) -> Duration {
        let doublings = min(failures - 1, 8)
        let whole = min(Self.shortestPause * (1 << doublings), Self.longestPause)
        let own = whole / 2 + whole / 2 * random()
        return max(own, min(retryAfter ?? .zero, Self.longestRequestedPause))
    }
}
