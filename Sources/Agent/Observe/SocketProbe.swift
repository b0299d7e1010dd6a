internal import LinuxKernel
internal import ServiceLifecycle

/// Asks the agent's own socket for an answer, as a plugin would, so that a server that hangs is found out.
package struct SocketProbe: Service {
    private let client: AgentClient
    private let heartbeat: Heartbeat

    /// Three failures in a row are as long as the watchdog waits.
    private static let pauseSeconds = 4

    package init(runDirectory: String, heartbeat: Heartbeat) {
        client = AgentClient(runDirectory: runDirectory)
        self.heartbeat = heartbeat
    }

    package func run() async throws {
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            let client = client
            // A thread of its own: those that all share may be held by others, and this is who finds that out.
            let isAnswered = try await OwnThread.run { client.isAnswering }
            if isAnswered { heartbeat.beat() }
            // Cut short by the end of the agent, which the loop sees by itself.
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(Self.pauseSeconds)) }
        }
        heartbeat.rest()
    }
}
