import Foundation

/// Runs what blocks on a thread of its own.
///
/// The pool that runs the tests has as many threads as the machine has processors.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
            continuation.resume(with: Result { try body() })
        }
    }
}
