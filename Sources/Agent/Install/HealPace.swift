/// How fast a configuration is put back that another program rewrites again and again (architecture, section 6).
///
/// At once five times a minute, then every five seconds, and never given up. A removed binary is not its matter:
/// without the binary no pod of the node starts.
package struct HealPace: Equatable, Sendable {
    /// As many rewrites as an ordinary upgrade of a CNI makes, with room to spare.
    package static let mostAtOnce = 5
    package static let windowMilliseconds = 60_000
    package static let slowPauseMilliseconds = 5_000

    /// When the configuration was put back, within the last minute.
    private var times: [Int] = []

    package init() {}

    /// Whether another program and this one take turns.
    package func isQuarrel(at now: Int) -> Bool { recent(at: now).count >= Self.mostAtOnce }

    /// How many milliseconds to wait before putting the configuration back; 0 means at once.
    ///
    /// Times are milliseconds of a clock that never goes back.
    package func pause(at now: Int) -> Int {
        guard isQuarrel(at: now), let last = times.last else { return 0 }
        return max(0, last + Self.slowPauseMilliseconds - now)
    }

    /// Notes that the configuration is put back now.
    package mutating func note(at now: Int) { times = recent(at: now) + [now] }

    private func recent(at now: Int) -> [Int] { times.filter { time in time > now - Self.windowMilliseconds } }
}
