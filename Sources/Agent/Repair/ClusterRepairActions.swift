internal import CNIProtocol
package import Kubernetes
internal import Redirect

extension RepairActions {
    /// What repair does at the API server.
    package init(client: KubernetesClient, events: EventRecorder) {
        self.init(
            delete: { pod in
                await Self.outcome(of: pod, ResourcePath.pod) { path throws(APIError) in
                    let version = pod.resourceVersion.isEmpty ? nil : ResourceVersion(pod.resourceVersion)
                    try await client.delete(
                        path,
                        if: KubernetesClient.Preconditions(uid: pod.pod.uid, version: version)
                    )
                }
            },
            label: { pod, key, value in
                await Self.outcome(of: pod, ResourcePath.podStatus) { path throws(APIError) in
                    let labels = JSONValue.object([JSONMember(key, .string(value))])
                    // The UID must not change: a pod that took the name meanwhile is refused with 409.
                    let metadata = JSONValue.object([
                        JSONMember("uid", .string(pod.pod.uid)), JSONMember("labels", labels),
                    ])
                    try await client.patch(path, with: .object([JSONMember("metadata", metadata)]), as: .merge)
                }
            },
            report: { pod, event in
                let subject = ClusterEvent.Subject.pod(pod.pod.name, in: pod.pod.namespace, uid: pod.pod.uid)
                let severity: ClusterEvent.Severity = event.isWarning ? .warning : .normal
                events.record(
                    ClusterEvent(severity, about: subject, reason: event.reason.rawValue, message: event.message)
                )
            }
        )
    }

    private static func outcome(
        of pod: NodePod,
        _ path: (_ name: String, _ namespace: String) -> ResourcePath?,
        _ request: (ResourcePath) async throws(APIError) -> Void
    ) async -> Outcome {
        guard let path = path(pod.pod.name, pod.pod.namespace) else {
            return .failed("\(pod.fullName) cannot be part of a path")
        }
        do throws(APIError) {
            try await request(path)
            return .done
        } catch {
            switch error.status?.code {
            case 404, 409: return .changed
            default: return .failed(error.description)
            }
        }
    }
}
