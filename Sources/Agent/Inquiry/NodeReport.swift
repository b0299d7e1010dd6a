package import CNIProtocol

/// What the agent of a node says about itself and its pods.
///
/// What another version of the agent leaves out reads as nothing.
package struct NodeReport: Sendable {
    package let status: JSONValue
    package let pods: [ReportedPod]

    /// - Parameters:
    ///   - status: The answer to `/v1/status`.
    ///   - pods: The answer to `/debug/pods`.
    package init(status: JSONValue, pods: JSONValue) {
        self.status = status
        self.pods = (pods["pods"]?.array ?? []).map { pod in ReportedPod(pod) }
    }

    package init(asking client: AgentClient) throws(AgentClient.Failure) {
        self.init(status: try client.get("/v1/status"), pods: try client.get("/debug/pods"))
    }

    package var isReady: Bool { status["ready"]?.bool ?? false }

    /// Those that should go through their sidecar, and do not, or not wholly.
    package var bypassing: [ReportedPod] { pods.filter { pod in pod.state == .bypassing || pod.state == .partial } }

    /// Those that should perhaps go through their sidecar, and nobody has looked.
    package var unknown: [ReportedPod] { pods.filter { pod in pod.state == .unknown } }

    /// For programs.
    package var value: JSONValue {
        .object([JSONMember("agent", status), JSONMember("pods", .array(pods.map { pod in pod.value }))])
    }

    /// For programs that ask about bypassing pods only.
    package var bypassValue: JSONValue {
        .object([
            JSONMember("bypassing", .array(bypassing.map { pod in pod.value })),
            JSONMember("unknown", .array(unknown.map { pod in pod.value })),
        ])
    }
}

/// One pod of `/debug/pods`.
package struct ReportedPod: Sendable {
    package let value: JSONValue

    init(_ value: JSONValue) { self.value = value }

    /// A state that this version does not know is one that it cannot judge.
    package var state: PodState { PodState(rawValue: text("state")) ?? .unknown }

    package var name: String { "\(text("namespace"))/\(text("name"))" }
    package var reason: String { text("reason") }
    package var author: String { text("by") }
    package var ageSeconds: Int { value["ageSeconds"]?.integer ?? 0 }

    private func text(_ key: String) -> String { value[key]?.string ?? "" }
}
