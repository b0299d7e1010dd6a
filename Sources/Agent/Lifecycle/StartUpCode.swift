internal import LinuxKernel
internal import Logging
internal import ServiceLifecycle

/// Gives the memory of the code that only starting needs back, once the agent has started.
///
/// The kernel maps a program's file in large pieces; of 33 MB some 18 MiB are touched on the way to being ready, and
/// some 10 MiB are in use after it. What is given back and needed after all is read again, from the page cache.
struct StartUpCode: Service {
    let readiness: Readiness

    /// Between being ready and giving back: the first pods, and the first look into their sandboxes.
    private static let pause = Duration.seconds(1)

    /// How often readiness is looked at.
    private static let look = Duration.milliseconds(250)

    func run() async throws {
        // Cut short by the end of the agent.
        try? await cancelWhenGracefulShutdown {
            while !readiness.obstacles.isEmpty { try await Task.sleep(for: Self.look) }
            try await Task.sleep(for: Self.pause)
            do throws(KernelError) {
                try OwnProcess.releaseCode()
            } catch {
                Logger(label: LogScope.agent).debug(
                    "code that only starting needs stays in memory",
                    metadata: ["reason": "\(error.description)"]
                )
            }
            try await gracefulShutdown()
        }
    }
}
