internal import AgentProtocol
internal import CNIProtocol
internal import Enforcement
internal import LinuxKernel
internal import Redirect

/// One CHECK: whether the rules in force are those of the pod's plan.
struct CheckCall {
    let sandbox: Sandbox
    let configuration: CNIConfiguration

    /// The agent may be restarting just now, but a check can wait for the next one.
    private static let agentMilliseconds = 2_000

    func run() throws(CNIError) {
        guard case .askAgent = sandbox.earlyDecision(configuration) else { return }
        let namespace = try sandbox.open()
        let addresses = try sandbox.addresses(CNIResult(of: configuration), in: namespace)
        let answer: AddAnswer
        do throws(AgentConnection.Failure) {
            let deadline = Clock.monotonicMilliseconds() + Self.agentMilliseconds
            answer = try AgentConnection(configuration).ask(
                sandbox.request(addresses, configuration),
                deadline: deadline
            ) { deadline }
        } catch {
            return try checkWithoutPlan(namespace, error)
        }
        guard case .redirect(let plan) = answer else { return }
        let drift = try sandbox.enforcing { () throws(EnforcementError) in
            try Enforcer().drift(from: plan, in: namespace)
        }
        guard drift.isEmpty || isInForceOtherwise(plan, namespace) else {
            throw CNIError(
                .redirectionDiffers,
                "\(sandbox.pod.description): \(drift.differences.count) differences between its redirection and its plan; restart the pod",
                details: drift.differences.prefix(Self.mostDifferences).joined(separator: "\n")
            )
        }
    }

    /// Whether the rules are those of the other back-end: a new setting of the agent holds from the next sandbox on, and
    /// the pods that run by then keep what they have.
    private func isInForceOtherwise(_ plan: RedirectPlan, _ namespace: borrowing NetworkNamespace) -> Bool {
        var other = plan
        other.backend = plan.backend == .nftables ? .iptables : .nftables
        do throws(EnforcementError) {
            return try Enforcer().drift(from: other, in: namespace).isEmpty
        } catch {
            // A back-end that this node does not have has put nothing in place.
            return false
        }
    }

    /// Without the agent nobody knows the plan; that there is redirection at all can still be seen.
    private func checkWithoutPlan(
        _ namespace: borrowing NetworkNamespace,
        _ failure: AgentConnection.Failure
    ) throws(CNIError) {
        let evidence = try sandbox.enforcing { () throws(EnforcementError) in
            try Enforcer().evidence(in: namespace)
        }
        guard !evidence.isInForce else { return }
        guard configuration.podAnnotations != nil else {
            throw CNIError(
                .tryAgainLater,
                "\(sandbox.pod.description): no redirection is in force, and the Istio CNI agent does not say whether it should be",
                details: failure.description
            )
        }
        throw CNIError(
            .redirectionDiffers,
            "\(sandbox.pod.description) has a sidecar, and no redirection is in force; restart the pod",
            details: failure.description
        )
    }

    /// Enough to see what kind of difference it is.
    private static let mostDifferences = 20
}
