import Foundation
package import Testing

/// Runs what blocks on a thread of its own.
///
/// The pool that runs the tests has as many threads as the machine has processors.
package func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}

/// Waits for what others do in their own time, at most a minute: a limit that finds what hangs, on any machine.
///
/// An error counts as no, since what is asked may not be there yet. The story is added where the fact does not come.
package func eventually(
    _ fact: String,
    story: () -> String = { "" },
    sourceLocation: SourceLocation = #_sourceLocation,
    _ isTrue: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if (try? await isTrue()) == true { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("not within 60 s: \(fact) \(story())", sourceLocation: sourceLocation)
}
