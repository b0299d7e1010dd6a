internal import Kubernetes
internal import Logging
internal import NIOPosix
internal import ServiceLifecycle

/// The agent's end: the plugin stays on the node, or goes (architecture, decision 11).
///
/// It comes after the plugin's server and before the installer in the order of services, so at the end the installer
/// has stopped and plugins still have their answers.
struct Departure: Service {
    let uninstaller: Uninstaller
    let status: AgentStatus

    /// Nil where there is no API server to ask, and the plugin stays.
    let questions: ExitQuestions?
    private let logger = Logger(label: LogScope.agent)

    init(uninstaller: Uninstaller, status: AgentStatus, questions: ExitQuestions?) {
        self.uninstaller = uninstaller
        self.status = status
        self.questions = questions
    }

    func run() async throws {
        do {
            try await gracefulShutdown()
        } catch {
            // Cut short: an error or a second signal ends the agent, and neither uninstalls.
            return
        }
        guard status.writes else {
            logger.info("the plugin stays on the node", metadata: ["reason": "another agent of this node writes"])
            return
        }
        switch await decide() {
        case .keep(let reason): logger.info("the plugin stays on the node", metadata: ["reason": "\(reason)"])
        case .remove(let reason): try await remove(reason)
        }
    }

    private enum Verdict {
        case keep(String)
        case remove(String)
    }

    private func decide() async -> Verdict {
        guard let questions else { return .keep("there is no API server to ask; install-cni uninstall removes it") }
        var decision = ExitDecision()
        var step = decision.first
        while true {
            switch step {
            case .ask(let question):
                let reply = await questions.reply(to: question)
                guard !Task.isCancelled else { return .keep("the agent was told to hurry") }
                step = decision.received(reply)
            case .keep(let reason): return .keep(reason)
            case .remove(let reason): return .remove(reason)
            }
        }
    }

    private func remove(_ reason: String) async throws {
        logger.warning("the plugin is taken off the node", metadata: ["reason": "\(reason)"])
        let uninstaller = uninstaller
        let outcome = try await NIOThreadPool.singleton.runIfActive { try uninstaller.run() }
        logger.info(
            "the plugin is off the node; its binary stays for pods that end later",
            metadata: ["files": "\(outcome.changed.joined(separator: ", "))"]
        )
    }
}

/// Asks the API server what ``ExitDecision`` wants to know.
struct ExitQuestions: Sendable {
    let client: KubernetesClient
    let node: AgentConfiguration.Node

    /// The official chart's DaemonSet, which cannot be renamed.
    private static let daemonSetName = "istio-cni-node"

    /// How long one question may take: three of them, and what is removed then, fit into the kubelet's 30 s.
    private static let limit = Duration.seconds(4)

    func reply(to question: ExitDecision.Question) async -> ExitDecision.Reply {
        guard let path = path(of: question) else {
            return .unclear("NODE_NAME, POD_NAME or POD_NAMESPACE is not set")
        }
        do throws(APIError) {
            return .found(try await client.get(path, within: Self.limit))
        } catch {
            switch error.status?.code {
            case 401: return .unauthorized
            case 403: return .forbidden
            case 404: return .notFound
            default: return .unclear(error.description)
            }
        }
    }

    private func path(of question: ExitDecision.Question) -> ResourcePath? {
        switch question {
        case .daemonSet: ResourcePath.daemonSet(Self.daemonSetName, in: node.podNamespace)
        case .ownPod: ResourcePath.pod(node.podName, in: node.podNamespace)
        case .node: ResourcePath.node(node.name)
        }
    }
}
