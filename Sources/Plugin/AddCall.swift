internal import AgentProtocol
internal import CNIProtocol
internal import Enforcement
internal import LinuxKernel
internal import Redirect

/// One ADD: is this pod redirected, and if so, make it true before any of its containers runs.
struct AddCall {
    let sandbox: Sandbox
    let configuration: CNIConfiguration
    private(set) var log: PluginLog
    private var phases = AddReport.Phases()

    /// How far the call came with the agent.
    private var contact = Contact.none

    private enum Contact {
        /// There was nothing to ask.
        case none

        /// It was asked for, and away.
        case tried
        case reached
    }

    /// The wait for the agent where the entry does not say, in seconds (`agent_wait_seconds`).
    private static let defaultWaitSeconds = 20

    /// What an agent that is there needs for its answer, in seconds: a wait of 0 must not refuse every pod.
    private static let leastWaitSeconds = 1

    /// Where the runtime does not pass annotations, a pod may well be outside the mesh: it must not wait for long for
    /// an agent that is not there.
    private static let unknownPodConnectMilliseconds = 2_000

    /// - Parameters:
    ///   - sandbox: Who the call is about.
    ///   - configuration: The plugin's entry.
    ///   - start: When the process began, in µs of `Clock.monotonicMicroseconds()`.
    init(_ sandbox: Sandbox, _ configuration: CNIConfiguration, startedAt start: Int) {
        self.sandbox = sandbox
        self.configuration = configuration
        let arguments = sandbox.arguments
        log = PluginLog(
            level: configuration.logLevel,
            labels: [
                ("pod", "\(arguments.podNamespace)/\(arguments.podName)"),
                ("container", sandbox.attachment.containerID),
            ]
        )
        phases.decode = Clock.monotonicMicroseconds() - start
    }

    /// Decides, and makes it true.
    mutating func run(_ result: CNIResult) throws(CNIError) -> AddReport.Outcome {
        if case .skip(let reason) = sandbox.earlyDecision(configuration) {
            log.info("pod is not redirected", [("reason", reason.rawValue)])
            return .skipped
        }
        let namespace = try sandbox.open()
        let plan: RedirectPlan
        switch try askAgent(sandbox.addresses(result, in: namespace)) {
        case .skip(let reason, _):
            log.info("pod is not redirected", [("reason", reason)])
            return .skipped
        case .redirect(let wanted): plan = wanted
        }
        let start = Clock.monotonicMicroseconds()
        defer { phases.apply = Clock.monotonicMicroseconds() - start }
        try sandbox.enforcing { () throws(EnforcementError) in try Enforcer().apply(plan, in: namespace) }
        log.info("pod is redirected", [("backend", plan.backend.rawValue)])
        return .redirected
    }

    /// What an error means for the report, said in the log too.
    mutating func failed(_ error: CNIError) -> AddReport.Outcome {
        log.error(error.message, [("code", "\(error.code.rawValue)"), ("details", error.details)])
        switch error.code {
        case .tryAgainLater: return .tryAgain
        case .badAnnotation, .noUsableAddress: return .refused
        default: return .failed
        }
    }

    /// Tells the agent, if it was asked; while it is away what was said goes to a file of limited size.
    ///
    /// The runtime has its answer by now, and nobody can be told that this failed.
    func report(_ outcome: AddReport.Outcome) {
        if contact == .none { return }
        if contact == .reached {
            let report = AddReport(
                podNamespace: sandbox.arguments.podNamespace,
                podName: sandbox.arguments.podName,
                containerID: sandbox.attachment.containerID,
                phases: phases,
                outcome: outcome,
                log: log.lines
            )
            do throws(AgentConnection.Failure) {
                return try AgentConnection(configuration).send(report)
            } catch {
                // To the file, then.
            }
        }
        log.appendToFile(in: configuration.agentDirectory)
    }
}

// MARK: - The agent

extension AddCall {
    /// Asks the agent until it answers or the budget is spent.
    private mutating func askAgent(_ addresses: [String]) throws(CNIError) -> AddAnswer {
        let start = Clock.monotonicMicroseconds()
        defer { phases.lookup = Clock.monotonicMicroseconds() - start }
        let budget = max(configuration.agentWaitSeconds ?? Self.defaultWaitSeconds, Self.leastWaitSeconds) * 1_000
        let isKnown = configuration.podAnnotations != nil
        var wait = AgentWait(
            now: start / 1_000,
            budgetMilliseconds: budget,
            connectMilliseconds: isKnown ? budget : Self.unknownPodConnectMilliseconds
        )
        contact = .tried
        let request = sandbox.request(addresses, configuration)
        let agent = AgentConnection(configuration)
        while true {
            do throws(AgentConnection.Failure) {
                return try agent.ask(request, deadline: wait.currentDeadlineMilliseconds) {
                    wait.connected()
                    contact = .reached
                    return wait.currentDeadlineMilliseconds
                }
            } catch {
                if case .refused(let refusal) = error, refusal.isFinal {
                    let code: CNIError.Code = refusal.reason == .noAddress ? .noUsableAddress : .badAnnotation
                    throw CNIError(code, "cannot redirect \(refusal.message)")
                }
                guard case .ask(let pause) = wait.failed(now: Clock.monotonicMilliseconds()) else {
                    throw noAnswer(error, wait)
                }
                log.debug("no answer yet", [("because", error.description)])
                Clock.sleep(milliseconds: pause)
            }
        }
    }

    /// Fail closed, and say where to look: a pod of the mesh must not start past it.
    private func noAnswer(_ failure: AgentConnection.Failure, _ wait: AgentWait) -> CNIError {
        let node = configuration.nodeName
        let namespace = configuration.podNamespace.isEmpty ? "istio-system" : configuration.podNamespace
        let selector = node.isEmpty ? "" : " --field-selector spec.nodeName=\(node)"
        let problem = wait.isConnected ? "no decision from the Istio CNI agent" : "no Istio CNI agent"
        let place = node.isEmpty ? "this node" : "node \(node)"
        return CNIError(
            .tryAgainLater,
            "\(sandbox.pod.description): \(problem) on \(place) within \(wait.waitedSeconds) s, so it is not started past "
                + "the mesh; the kubelet tries again. Look at: kubectl get pods -n \(namespace) -l k8s-app=istio-cni-node "
                + "-o wide\(selector) (docs/errors.md, code 11)",
            details: "\(failure.description); tries: \(wait.tries)"
        )
    }
}
