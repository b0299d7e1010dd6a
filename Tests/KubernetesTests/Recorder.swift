import Synchronization
import Testing

/// What closures were given, in order.
final class Recorder<Element: Sendable>: Sendable {
    private let elements = Mutex([Element]())

    func add(_ element: Element) { elements.withLock { elements in elements.append(element) } }

    var all: [Element] { elements.withLock { elements in elements } }
}

/// Waits for what happens on other tasks, a minute at most.
func eventually(
    _ fact: String,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ isTrue: () -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if isTrue() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("not within a minute: \(fact)", sourceLocation: sourceLocation)
}
