/// Which service of the agent has stopped making progress.
///
/// It holds no clock: it is told the time in milliseconds, which must not go back.
package struct WatchdogState: Equatable, Sendable {
    /// How long a service may make no progress.
    private let limitMilliseconds: Int

    /// When each service last made progress; nil where it waits for something that may never come.
    private var progress: [String: Int?] = [:]

    /// When the watchdog itself last looked.
    private var lastLook: Int?

    /// A watchdog that looks later than this was stopped itself, and with it everything that it watches.
    private static let longestPauseMilliseconds = 3_000

    /// A service that hangs.
    package struct Stall: Equatable, Sendable {
        package let service: String
        package let milliseconds: Int
    }

    package init(limitMilliseconds: Int) { self.limitMilliseconds = limitMilliseconds }

    /// A service begins, or has made progress.
    package mutating func beat(_ service: String, at now: Int) { progress[service] = .some(now) }

    /// A service waits, for as long as it takes, until its next beat.
    package mutating func rest(_ service: String) { progress[service] = .some(nil) }

    /// Looks at every service; to be called about once a second.
    ///
    /// Where the whole process was stopped (a debugger, a paused machine, a node without a processor to spare) nobody
    /// could make progress, so that time does not count.
    ///
    /// - Parameter now: The time.
    /// - Returns: The service that has hung the longest, if one has hung too long.
    package mutating func look(at now: Int) -> Stall? {
        if let lastLook, now - lastLook > Self.longestPauseMilliseconds {
            let pause = now - lastLook
            progress = progress.mapValues { last in last.map { last in min(now, last + pause) } }
        }
        lastLook = now
        let stalls = progress.compactMap { service, last -> Stall? in
            guard let last, now - last >= limitMilliseconds else { return nil }
            return Stall(service: service, milliseconds: now - last)
        }
        return stalls.max { left, right in
            (left.milliseconds, right.service) < (right.milliseconds, left.service)
        }
    }
}
