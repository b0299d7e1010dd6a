internal import CNIProtocol
package import Kubernetes
internal import Redirect

extension RepairActions {
    /// Acts through the API server.
    ///
    /// A pod that is gone (404) or is not the one that was looked at any more (409) is no failure.
    package static func through(_ client: KubernetesClient, events: EventRecorder) -> RepairActions {
        RepairActions(
            delete: { pod in
                guard let path = ResourcePath.pod(pod.pod.name, in: pod.pod.namespace) else { return .unnamed(pod) }
                let version = ResourceVersion(pod.resourceVersion)
                return await outcome { () async throws(APIError) in
                    try await client.delete(path, if: .init(uid: pod.pod.uid, version: version))
                }
            },
            label: { pod, key, value in
                guard let path = ResourcePath.podStatus(pod.pod.name, in: pod.pod.namespace) else {
                    return .unnamed(pod)
                }
                let labels = JSONValue.object([JSONMember(key, .string(value))])
                // With the UID, so that another pod of this name is refused (409) and not labelled.
                let metadata = JSONValue.object([
                    JSONMember("uid", .string(pod.pod.uid)), JSONMember("labels", labels),
                ])
                return await outcome { () async throws(APIError) in
                    try await client.patch(path, with: .object([JSONMember("metadata", metadata)]), as: .merge)
                }
            },
            report: { pod, event in
                events.record(
                    ClusterEvent(
                        event.isWarning ? .warning : .normal,
                        about: .pod(pod.pod.name, in: pod.pod.namespace, uid: pod.pod.uid),
                        reason: event.reason.rawValue,
                        message: event.message
                    )
                )
            }
        )
    }

    private static func outcome(_ request: () async throws(APIError) -> Void) async -> Outcome {
        do throws(APIError) {
            try await request()
            return .done
        } catch {
            switch error.status?.code {
            case 404, 409: return .changed
            default: return .failed(error.description)
            }
        }
    }
}

extension RepairActions.Outcome {
    fileprivate static func unnamed(_ pod: NodePod) -> Self { .failed("\(pod.fullName) is no name of a pod") }
}
