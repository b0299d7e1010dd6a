package import LinuxKernel
internal import Logging
internal import ServiceLifecycle

/// Whether an agent is the one of its node that writes (architecture, decision 19).
package enum WriterRole: Equatable, Sendable {
    /// Nobody has asked so far: the agent has just started.
    case undecided

    /// The lock cannot be taken, and not because another agent holds it; it is tried again. With the reason, for people.
    case unable(String)
    case writer
    /// Another agent of this node holds the lock; it installs, and this one takes over when it goes.
    case standby

    /// For `/v1/status`.
    var text: String {
        switch self {
        case .undecided: "which agent of this node writes is not known"
        case .unable(let reason): "which agent of this node writes is not known: \(reason)"
        case .writer: "this agent writes"
        case .standby: "another agent of this node writes; waiting for it to go"
        }
    }
}

/// Sees to it that one agent of a node writes: an upgrade with surge has two (architecture, decision 19).
package struct WriterLock: Service {
    private let path: String
    private let status: AgentStatus
    private let logger = Logger(label: LogScope.agent)

    private static let fileName = "agent.lock"

    /// How often the lock is tried; the kernel lets go of it when its holder ends in whatever way.
    private static let pauseMilliseconds = 500

    package init(runDirectory: String, status: AgentStatus) {
        path = Self.path(runDirectory: runDirectory)
        self.status = status
    }

    private static func path(runDirectory: String) -> String { "\(runDirectory)/\(fileName)" }

    /// Takes the lock for a command that writes in place of an agent; nil where no agent has ever run here.
    package static func hold(runDirectory: String) throws(InstallError) -> FileLock? {
        let path = path(runDirectory: runDirectory)
        do throws(KernelError) {
            return try FileLock(path)
        } catch {
            switch error.errno {
            case .noSuchEntry: return nil
            case .wouldBlock: throw .agentRuns(lock: path)
            default: throw .configuration(error)
            }
        }
    }

    package func run() async throws {
        let path = path
        var hasSaid = false
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            do throws(KernelError) {
                let lock = try FileLock(path)
                status.role = .writer
                if hasSaid {
                    logger.info("this agent writes now", metadata: ["lock": "\(path)"])
                }
                await waitForEnd()
                status.role = .undecided
                // Its descriptor is the lock.
                _ = consume lock
                return
            } catch {
                let isHeld = error.errno == .wouldBlock
                status.role = isHeld ? .standby : .unable(Self.reason(error, path))
                if !hasSaid {
                    logger.warning(
                        isHeld
                            ? "another agent of this node writes; waiting for it to go"
                            : "the lock of this node's agents cannot be taken; trying again",
                        metadata: ["lock": "\(path)", "error": "\(error.description)"]
                    )
                    hasSaid = true
                }
            }
            // Cut short by the end of the agent, which the loop sees by itself.
            try? await cancelWhenGracefulShutdown {
                try await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
            }
        }
    }

    private static func reason(_ error: KernelError, _ path: String) -> String {
        "the lock that lets one agent of a node write cannot be taken: \(error.description); nothing is installed until "
            + "\(path) is a file that this agent can write to"
    }

    private func waitForEnd() async {
        do {
            try await gracefulShutdown()
        } catch {
            // Cancelled, which is an end too.
        }
    }
}
