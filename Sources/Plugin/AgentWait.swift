/// How long one call goes on asking an agent that is away or does not know the pod yet.
///
/// It holds no clock: it is told the time and what failed, and says what to do.
struct AgentWait: Equatable {
    private let start: Int
    private let budgetMilliseconds: Int
    private let connectMilliseconds: Int

    /// Whether somebody was there at least once.
    private(set) var isConnected = false
    private(set) var tries = 0

    enum Step: Equatable {
        case ask(afterMilliseconds: Int)
        case giveUp
    }

    /// - Parameters:
    ///   - now: The caller's clock, in milliseconds.
    ///   - budgetMilliseconds: How long to ask in all.
    ///   - connectMilliseconds: How long to wait for an agent to be there at all.
    init(now: Int, budgetMilliseconds: Int, connectMilliseconds: Int) {
        start = now
        self.budgetMilliseconds = budgetMilliseconds
        self.connectMilliseconds = min(connectMilliseconds, budgetMilliseconds)
    }

    /// Until when the next try may last, on the caller's clock.
    var currentDeadlineMilliseconds: Int { start + limitMilliseconds }

    /// For how long was waited when it was given up.
    var waitedSeconds: Int { limitMilliseconds / 1_000 }

    private var limitMilliseconds: Int { isConnected ? budgetMilliseconds : connectMilliseconds }

    /// The agent's socket took a connection.
    mutating func connected() { isConnected = true }

    /// What to do after a try that failed.
    mutating func failed(now: Int) -> Step {
        tries += 1
        let pause = min(Self.firstPauseMilliseconds << min(tries - 1, 10), Self.longestPauseMilliseconds)
        return now + pause < currentDeadlineMilliseconds ? .ask(afterMilliseconds: pause) : .giveUp
    }

    /// A restarting agent is back within some 100 ms, and a watch knows a new pod within about as much.
    private static let firstPauseMilliseconds = 20

    /// Long enough that a hundred waiting pods cost the agent nothing.
    private static let longestPauseMilliseconds = 500
}
