internal import Hummingbird
internal import HummingbirdCore
internal import LinuxKernel
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import Synchronization

/// What holds for every connection to a socket of the agent.
package struct SocketLimits: Sendable {
    /// The longest silence of a peer: the plugin sends its request in one piece, at once.
    package var idleSeconds = 5.0

    /// The most connections that are served at once; others wait in the queue of the socket.
    package var connections = 256

    /// The queue of the socket: a node that boots starts its pods together.
    package var queue = 512

    /// The longest head of a request; the plugin sends some 150 bytes.
    package var headBytes = 16 * 1_024
    package var headerFields = 50

    /// How often the path is looked at, so that a socket that was lost is there again within a second.
    package var lookMilliseconds = 250

    /// Who may connect: root, and whoever runs the agent, which for `try` is an ordinary user.
    package var users: Set<UInt32> = [0, OwnProcess.effectiveUser]

    package init() {}
}

/// Serves HTTP on one Unix socket until it is told to stop, and sees to it that the path leads to an agent.
struct SocketServer: Service {
    let path: String
    let limits: SocketLimits

    /// Told whether the path leads to this agent, or to one that came after it.
    private let isServed: ReadinessFlag?
    private let responder: RouterResponder<BasicRequestContext>
    private let logger = Logger(label: LogScope.agent)

    init(
        path: String,
        router: Router<BasicRequestContext>,
        limits: SocketLimits,
        isServed: ReadinessFlag? = nil
    ) {
        self.path = path
        self.isServed = isServed
        responder = router.buildResponder()
        self.limits = limits
    }

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { bindings in
            var isFirst = true
            while !Task.isShuttingDownGracefully && !Task.isCancelled {
                let binding = Binding(path: path, users: limits.users)
                let group = ServiceGroup(configuration: .init(services: [application(binding)], logger: quiet))
                bindings.addTask {
                    do {
                        try await group.run()
                        binding.end(nil)
                    } catch {
                        binding.end(error)
                    }
                }
                await binding.waitUntilLost(lookMilliseconds: limits.lookMilliseconds)
                isServed?.obstacle = "the socket \(path) is being bound again"
                if Task.isShuttingDownGracefully || Task.isCancelled {
                    await group.triggerGracefulShutdown()
                    try await bindings.waitForAll()
                    try binding.remove()
                    return
                }
                if let failure = binding.failure {
                    guard !isFirst else { throw failure }
                    logger.error("socket cannot be bound", metadata: ["path": "\(path)", "error": "\(failure)"])
                    // Cut short by the end of the agent, which the loop sees by itself.
                    try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
                } else {
                    logger.warning("socket was taken away; binding it again", metadata: ["path": "\(path)"])
                }
                isFirst = false
                // Requests that came before finish on the old socket.
                await group.triggerGracefulShutdown()
            }
        }
    }

    /// Hummingbird's own messages; at `info` it reports each start and stop.
    private var quiet: Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }

    private func application(_ binding: Binding) -> some Service {
        let users = limits.users
        let configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [PeerGate(users: users)],
            idleTimeout: .milliseconds(Int64(limits.idleSeconds * 1_000)),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.headBytes,
                maxHeaderListSize: limits.headBytes,
                maxHeaderFieldCount: limits.headerFields
            )
        )
        return Application(
            responder: responder,
            server: .http1(configuration: configuration),
            configuration: .init(
                address: .unixDomainSocket(path: binding.temporaryPath),
                backlog: limits.queue,
                availableConnectionsDelegate: .maximum(limits.connections, logger: quiet)
            ),
            onServerRunning: { [logger, isServed] _ in
                binding.publish()
                guard binding.failure == nil else { return }
                isServed?.obstacle = nil
                logger.info("socket is served", metadata: ["path": "\(binding.path)"])
            },
            logger: quiet
        )
    }
}

/// One listening socket and the file that leads to it.
private final class Binding: Sendable {
    let path: String

    /// Where the socket is bound first.
    ///
    /// NIO unlinks this name when it closes, and not a successor's; the process number would not do, which is
    /// 1 in every container.
    let temporaryPath: String

    private enum State {
        case starting
        case listening(SocketFile)
        case ended((any Error)?)
    }

    private let state = Mutex(State.starting)

    /// 0600: only root can connect at all, and whoever runs the agent.
    private static let mode: UInt32 = 0o600

    private let users: Set<UInt32>

    init(path: String, users: Set<UInt32>) {
        self.path = path
        self.users = users
        temporaryPath = path + "." + String(UInt32.random(in: .min ... .max), radix: 16)
    }

    func publish() {
        state.withLock { state in
            do throws(KernelError) {
                state = .listening(try SocketFile(publishing: temporaryPath, as: path, mode: Self.mode))
            } catch {
                state = .ended(error)
            }
        }
    }

    func end(_ error: (any Error)?) {
        state.withLock { state in
            if case .starting = state { state = .ended(error) }
        }
    }

    var failure: (any Error)? {
        state.withLock { state in
            if case .ended(let error) = state { error } else { nil }
        }
    }

    func remove() throws(KernelError) {
        guard case .listening(let file) = state.withLock({ state in state }) else { return }
        try file.remove()
    }

    /// Whether a trusted user listens at the path: an agent that was started later.
    ///
    /// Two agents answer alike during an upgrade with surge, and would otherwise take the path from each other
    /// without end. When the later one goes, the path leads nowhere, and is taken back.
    private var hasSuccessor: Bool {
        do throws(KernelError) {
            return users.contains(try UnixSocket(connectingTo: path, deadlineMilliseconds: 0).peerUser())
        } catch {
            // A full queue is somebody's; no socket, or nobody who listens, is nobody.
            return error.errno == .wouldBlock
        }
    }

    private var isLost: Bool {
        switch state.withLock({ state in state }) {
        case .starting: false
        case .listening(let file): !file.isInPlace && !hasSuccessor
        case .ended: true
        }
    }

    /// Returns when the path leads elsewhere, when there never was a socket, or when the agent ends.
    func waitUntilLost(lookMilliseconds: Int) async {
        do {
            try await cancelWhenGracefulShutdown {
                while !self.isLost { try await Task.sleep(for: .milliseconds(lookMilliseconds)) }
            }
        } catch {
            // The agent ends, which the caller asks for itself.
        }
    }
}
