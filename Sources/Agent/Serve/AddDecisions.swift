package import AgentProtocol
internal import Logging
package import Redirect

/// Answers the plugin's question about a pod.
package struct AddDecisions: Sendable {
    package let pods: PodDirectory
    package let backend: RedirectPlan.Backend
    private let logger: Logger

    package init(pods: PodDirectory, backend: RedirectPlan.Backend) {
        self.pods = pods
        self.backend = backend
        logger = Logger(label: LogScope.agent)
    }

    package func answer(_ request: AddRequest) -> Result<AddAnswer, AddRefusal> {
        let answer: Result<AddAnswer, AddRefusal>
        do throws(AddRefusal) {
            answer = .success(try decide(request))
        } catch {
            answer = .failure(error)
        }
        pods.record(answer, to: request)
        log(answer, to: request)
        return answer
    }

    private func decide(_ request: AddRequest) throws(AddRefusal) -> AddAnswer {
        let name = "\(request.podNamespace)/\(request.podName)"
        guard request.planVersions.contains(where: { version in PlanFormat.versions.contains(version) }) else {
            throw AddRefusal(
                .noCommonPlanVersion,
                "the plugin reads plans of version \(numbers(request.planVersions)) and the agent writes "
                    + "\(numbers(PlanFormat.versions)); one of them is about to be replaced"
            )
        }
        let pod = try pods.pod(for: request)
        do throws(PlanError) {
            switch try Decision(pod: pod, addresses: request.ips, backend: backend) {
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
