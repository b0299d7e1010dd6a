import Enforcement
import Redirect
import RuntimeSupport

extension PodNamespace {
    /// What in the namespace differs from what the pod needs, with nftables.
    func differences() async throws -> [String] {
        guard let plan = try plan else {
            return try await onThread { [self] in
                let isFresh = try Enforcer().evidence(in: namespace).ways.isEmpty
                return isFresh ? [] : ["\(pod.name) is outside the mesh and has rules"]
            }
        }
        return try await onThread { [self] in
            try Enforcer().drift(from: plan, in: namespace).differences.map { "\(self.pod.name): \($0)" }
        }
    }

    /// What the agent has to answer; nil for a pod outside the mesh.
    private var plan: RedirectPlan? {
        get throws {
            let containers = pod.isInMesh ? [Pod.Container(name: "istio-proxy", arguments: ["proxy", "sidecar"])] : []
            let decision = try Decision(
                pod: Pod(
                    namespace: pod.namespace,
                    name: pod.name,
                    annotations: pod.annotations,
                    containers: containers
                ),
                addresses: ["\(NodeFolder.podNetwork)"],
                backend: .nftables
            )
            guard case .redirect(let plan, _) = decision else { return nil }
            return plan
        }
    }
}
