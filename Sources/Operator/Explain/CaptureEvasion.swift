internal import Agent
internal import CNIProtocol
internal import Redirect

/// Why traffic of a redirected pod may miss its sidecar, or reach it the wrong way: what follows from the pod beside its
/// plan.
enum CaptureEvasion {
    static func all(of node: NodePod, _ manifest: PodManifest, _ plan: RedirectPlan) -> [String] {
        var warnings: [String] = []
        if let isolation = node.isolation { warnings.append("probably nothing is redirected: \(isolation)") }
        if !plan.virtualInterfaces.isEmpty, plan.interceptionMode == .transparentProxy, plan.inboundPorts != .none {
            warnings.append(
                "TPROXY takes what virtual machines send for inbound connections, to port \(plan.ports.inbound); "
                    + "REDIRECT does not"
            )
        }
        for (list, kind) in [
            ("initContainers", "init container"), ("containers", "container"),
            ("ephemeralContainers", "ephemeral container"),
        ] {
            for container in manifest.json["spec"]?[list]?.array ?? [] {
                warnings += [proxyIdentity(of: container, kind, manifest, plan)].compactMap { $0 }
            }
        }
        return warnings
    }

    /// About a container that is the proxy to the rules, which know it by its user and its group.
    private static func proxyIdentity(
        of container: JSONValue,
        _ kind: String,
        _ manifest: PodManifest,
        _ plan: RedirectPlan
    ) -> String? {
        let name = container["name"]?.string ?? "?"
        guard !meshContainers.contains(name) else { return nil }
        var shared: [String] = []
        for (field, word, ids) in [
            ("runAsUser", "user", plan.proxyUsers), ("runAsGroup", "group", plan.proxyGroups),
        ] {
            // A container's own setting replaces the pod's.
            let setting = container["securityContext"]?[field] ?? manifest.json["spec"]?["securityContext"]?[field]
            guard let id = setting?.integer.flatMap(UInt32.init(exactly:)), ids.contains(id) else { continue }
            shared.append("\(word) \(id)")
        }
        guard !shared.isEmpty else { return nil }
        let isBeforeProxy = kind == "init container" && container["restartPolicy"]?.string != "Always"
        return
            "\(kind) \(name) runs as \(shared.joined(separator: " and ")), as the proxy does: what it sends goes past the "
            + "sidecar\(isBeforeProxy ? ", which is right only if it runs before the sidecar" : "")"
    }

    private static let meshContainers = ["istio-proxy", "istio-init", "istio-validation"]
}
