package import AgentProtocol
package import CNIProtocol
internal import Logging
package import Redirect

/// Answers the plugin's question about a pod.
package struct AddDecisions: Sendable {
    package let pods: PodDirectory
    package let backend: RedirectPlan.Backend
    private let planEditions: [PlanEdition]
    private let lookup: Lookup?
    private let logger: Logger

    /// Asks the API server for one pod: one that the watch has not shown yet, or whose name was taken over.
    ///
    /// Nil means that there is no such pod; it throws what to tell the plugin where that could not be found out.
    package typealias Lookup = @Sendable (_ namespace: String, _ name: String) async throws(AddRefusal) -> NodePod?

    /// Without a look-up the pods come from a directory, which is all there is.
    package init(
        pods: PodDirectory,
        backend: RedirectPlan.Backend,
        planEditions: [PlanEdition] = PlanEdition.all,
        lookup: Lookup? = nil
    ) {
        self.pods = pods
        self.backend = backend
        self.planEditions = planEditions
        self.lookup = lookup
        logger = Logger(label: LogScope.agent)
    }

    /// The body of the answer, in the highest version of the plan that both sides know.
    package func answer(_ request: AddRequest) async -> Result<[UInt8], AddRefusal> {
        let answer: Result<AddAnswer, AddRefusal>
        let body: Result<[UInt8], AddRefusal>
        do throws(AddRefusal) {
            let edition = try edition(for: request)
            let decided = try await decide(request)
            answer = .success(decided)
            body = .success(decided.bytes(plan: edition.value))
        } catch {
            answer = .failure(error)
            body = .failure(error)
        }
        pods.record(answer, to: request)
        log(answer, to: request)
        return body
    }

    private func edition(for request: AddRequest) throws(AddRefusal) -> PlanEdition {
        let common = planEditions.filter { edition in request.planVersions.contains(edition.version) }
        guard let highest = common.max(by: { left, right in left.version < right.version }) else {
            throw AddRefusal(
                .noCommonPlanVersion,
                "the plugin reads plans of version \(numbers(request.planVersions)) and the agent writes "
                    + "\(numbers(planEditions.map { edition in edition.version })); one of them is about to be replaced"
            )
        }
        return highest
    }

    private func decide(_ request: AddRequest) async throws(AddRefusal) -> AddAnswer {
        let name = "\(request.podNamespace)/\(request.podName)"
        let pod = try await pod(for: request)
        do throws(PlanError) {
            switch try Decision(pod: pod.pod, addresses: request.ips, backend: backend) {
            case .skip(let reason): return AddAnswer(skip: reason)
            case .redirect(let plan, let warnings):
                for warning in warnings {
                    logger.warning(
                        "a setting of the pod has no effect",
                        metadata: ["pod": "\(name)", "reason": "\(warning.description)"]
                    )
                }
                return .redirect(plan)
            }
        } catch {
            throw AddRefusal(error.isAboutAddresses ? .noAddress : .badPod, "pod \(name): \(error.description)")
        }
    }

    /// The pod as the watch has it, else as the API server has it now.
    private func pod(for request: AddRequest) async throws(AddRefusal) -> NodePod {
        let refusal: AddRefusal
        do throws(AddRefusal) {
            return try pods.pod(for: request)
        } catch {
            refusal = error
        }
        guard let lookup else { throw refusal }
        guard let found = try await lookup(request.podNamespace, request.podName) else {
            throw AddRefusal(
                .podUnknown,
                "the API server knows no pod \(request.podNamespace)/\(request.podName)"
            )
        }
        // Not read from the directory again: where that is full, or the pod is just gone, it is not there.
        try found.check(request)
        return found
    }

    private func numbers(_ numbers: [Int]) -> String {
        numbers.map { number in String(number) }.joined(separator: ", ")
    }

    private func log(_ answer: Result<AddAnswer, AddRefusal>, to request: AddRequest) {
        var metadata: Logger.Metadata = [
            "pod": "\(request.podNamespace)/\(request.podName)", "container": "\(request.containerID)",
        ]
        switch answer {
        case .success(.redirect): logger.debug("plan given out", metadata: metadata)
        case .success(.skip(let reason, _)):
            metadata["reason"] = "\(reason)"
            logger.debug("pod skipped", metadata: metadata)
        case .failure(let refusal):
            metadata["status"] = "\(refusal.reason.rawValue)"
            metadata["reason"] = "\(refusal.message)"
            logger.warning("no plan for a pod", metadata: metadata)
        }
    }
}

/// One version of the plan, as the agent can write it.
///
/// During an upgrade agent and plugin differ: each knows its own version and the one before for a minor release.
package struct PlanEdition: Sendable {
    package let version: Int
    package let value: @Sendable (RedirectPlan) -> JSONValue

    package init(version: Int, value: @escaping @Sendable (RedirectPlan) -> JSONValue) {
        self.version = version
        self.value = value
    }

    package static let all = [PlanEdition(version: RedirectPlan.version) { plan in PlanFormat.value(of: plan) }]
}
