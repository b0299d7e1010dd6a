internal import NIOPosix

/// Runs what may block for seconds on a thread that nobody else waits for.
///
/// NIO's own pool has as many threads as the agent has processors, which under a limit of one is one.
enum OwnThread {
    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        let thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
        // Its end is nobody's concern: it has nothing left to do.
        defer { thread.shutdownGracefully { _ in } }
        return try await thread.runIfActive(body)
    }
}
