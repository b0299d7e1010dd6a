package import AgentProtocol
internal import Logging
package import Redirect

/// Answers the plugin's question about a pod.
package struct AddDecisions: Sendable {
    package let pods: PodDirectory
    package let backend: RedirectPlan.Backend
    private let lookup: Lookup?
    private let logger: Logger

    /// Asks the API server for one pod: one that the watch has not shown yet, or whose name was taken over.
    ///
    /// Nil means that there is no such pod; it throws what to tell the plugin where that could not be found out.
    package typealias Lookup = @Sendable (_ namespace: String, _ name: String) async throws(AddRefusal) -> NodePod?

    /// Without a look-up the pods come from a directory, which is all there is.
    package init(pods: PodDirectory, backend: RedirectPlan.Backend, lookup: Lookup? = nil) {
        self.pods = pods
        self.backend = backend
        self.lookup = lookup
        logger = Logger(label: LogScope.agent)
    }

    package func answer(_ request: AddRequest) async -> Result<AddAnswer, AddRefusal> {
        let answer: Result<AddAnswer, AddRefusal>
        do throws(AddRefusal) {
            answer = .success(try await decide(request))
        } catch {
            answer = .failure(error)
        }
        pods.record(answer, to: request)
        log(answer, to: request)
        return answer
    }

    private func decide(_ request: AddRequest) async throws(AddRefusal) -> AddAnswer {
        let name = "\(request.podNamespace)/\(request.podName)"
        guard request.planVersions.contains(where: { version in PlanFormat.versions.contains(version) }) else {
            throw AddRefusal(
                .noCommonPlanVersion,
                "the plugin reads plans of version \(numbers(request.planVersions)) and the agent writes "
                    + "\(numbers(PlanFormat.versions)); one of them is about to be replaced"
            )
        }
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
            throw AddRefusal(.badPod, "pod \(name): \(error.description)")
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
        // Kept from here on, so that its report finds it; the watch is about to say the same.
        pods.update(found)
        return try pods.pod(for: request)
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
