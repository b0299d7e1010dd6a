/// Which Events are sent, and how: repeated ones are counted up, and a flood of them is cut.
///
/// No connection and no clock: times come in as seconds that never go back.
package struct EventSeries: Sendable {
    /// How long repeated Events count as one: an API server forgets them after an hour.
    package static let windowSeconds = 1_800

    /// The most series that are remembered; the one that is longest quiet is forgotten first.
    package static let mostSeries = 256

    /// So many Events go out at once, and then one every some seconds: about what Kubernetes' own components take.
    package static let burst = 25
    package static let secondsPerEvent = 5

    package enum Action: Equatable, Sendable {
        /// A new object, with this count: what was held back before counts too.
        case create(count: Int)

        /// Another count for an object that is there.
        case patch(name: String, count: Int)

        /// Nothing is sent now; it counts when the next of its kind is.
        case holdBack
    }

    private struct Key: Hashable {
        let subject: ClusterEvent.Subject
        let reason: String
    }

    private struct Series {
        var name: String?
        var count = 0
        var lastSeconds: Int
    }

    private var series: [Key: Series] = [:]
    private var tokens = EventSeries.burst
    private var refilledSeconds: Int?

    package init() {}

    /// What to do with an Event.
    package mutating func add(_ event: ClusterEvent, atSeconds now: Int) -> Action {
        let key = Self.key(event)
        var own = series[key] ?? Series(lastSeconds: now)
        if now - own.lastSeconds > Self.windowSeconds { own = Series(lastSeconds: now) }
        own.count += 1
        own.lastSeconds = now
        forgetOldest(unless: key)
        series[key] = own
        guard takeToken(now) else { return .holdBack }
        if let name = own.name { return .patch(name: name, count: own.count) }
        return .create(count: own.count)
    }

    /// An object was created for an Event, so that it can be counted up.
    package mutating func created(_ event: ClusterEvent, name: String) { series[Self.key(event)]?.name = name }

    /// The object of an Event is gone, so that the next makes a new one.
    package mutating func lost(_ event: ClusterEvent) { series[Self.key(event)]?.name = nil }

    private static func key(_ event: ClusterEvent) -> Key { Key(subject: event.subject, reason: event.reason) }

    private mutating func forgetOldest(unless key: Key) {
        guard series[key] == nil, series.count >= Self.mostSeries else { return }
        let oldest = series.min { left, right in left.value.lastSeconds < right.value.lastSeconds }
        if let oldest { series[oldest.key] = nil }
    }

    private mutating func takeToken(_ now: Int) -> Bool {
        let since = refilledSeconds ?? now
        let refill = max(0, now - since) / Self.secondsPerEvent
        tokens = min(Self.burst, tokens + refill)
        // What is left of the time counts for the next.
        refilledSeconds = tokens == Self.burst ? now : since + refill * Self.secondsPerEvent
        guard tokens > 0 else { return false }
        tokens -= 1
        return true
    }
}
