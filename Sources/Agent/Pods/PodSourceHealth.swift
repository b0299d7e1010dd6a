internal import LinuxKernel
internal import Synchronization

/// Whether the pods that are known are those that there are now.
package final class PodSourceHealth: Sendable {
    /// How long the API server may be away before it is a reason not to be ready: a restart of one server takes less,
    /// and the pods that are known hold meanwhile.
    package static let toleratedMilliseconds = 30_000

    private struct Trouble {
        let sinceMilliseconds: Int
        var reason: String
    }

    private let trouble = Mutex(Trouble?.none)
    private let now: @Sendable () -> Int

    /// Makes a source that is well; `now` is a clock in milliseconds that never goes back.
    package init(now: @escaping @Sendable () -> Int = { Clock.monotonicMilliseconds() }) { self.now = now }

    /// Why the agent's pods may be old, in a sentence for people; nil if they are not.
    package var obstacle: String? {
        guard let trouble = trouble.withLock({ trouble in trouble }) else { return nil }
        let milliseconds = now() - trouble.sinceMilliseconds
        guard milliseconds >= Self.toleratedMilliseconds else { return nil }
        return "the pods have not been up to date for \(milliseconds / 1_000) s: \(trouble.reason)"
    }

    /// A list has been asked for: an answer that does not come is trouble too, long before its time limit.
    func asked() {
        let now = now()
        trouble.withLock { trouble in
            if trouble == nil { trouble = Trouble(sinceMilliseconds: now, reason: "the list of pods has not come yet") }
        }
    }

    func failed(_ reason: String) {
        let now = now()
        trouble.withLock { trouble in
            trouble = Trouble(sinceMilliseconds: trouble?.sinceMilliseconds ?? now, reason: reason)
        }
    }

    func recovered() { trouble.withLock { trouble in trouble = nil } }
}
