internal import Synchronization

/// Whether the agent is ready, and if not, why: the one answer for `/readyz` and `/v1/status`.
package struct Readiness: Sendable {
    /// One thing that must hold.
    package struct Condition: Sendable {
        /// One word, such as `installed`.
        package let name: String

        /// Why it does not hold, in a sentence for people; nil if it does.
        package let obstacle: @Sendable () -> String?

        package init(_ name: String, obstacle: @escaping @Sendable () -> String?) {
            self.name = name
            self.obstacle = obstacle
        }

        package init(_ name: String, _ flag: ReadinessFlag) {
            self.init(name) { flag.obstacle }
        }
    }

    private let conditions: [Condition]

    package init(_ conditions: [Condition]) { self.conditions = conditions }

    /// Why the agent is not ready: empty if it is.
    package var obstacles: [(condition: String, reason: String)] {
        conditions.compactMap { condition in condition.obstacle().map { reason in (condition.name, reason) } }
    }
}

/// A condition that a service sets by itself.
package final class ReadinessFlag: Sendable {
    private let state: Mutex<String?>

    /// - Parameter obstacle: Why it does not hold at first.
    package init(_ obstacle: String) { state = Mutex(obstacle) }

    /// Why it does not hold; nil if it does.
    package var obstacle: String? {
        get { state.withLock { state in state } }
        set { state.withLock { state in state = newValue } }
    }
}
