internal import CNIProtocol

/// `components.cni.k8s` as values of the chart.
///
/// Upstream patches what is rendered; Helm renders here, so a setting that no value carries is refused, never dropped.
struct KubernetesSettings {
    /// For `values.cni`.
    private(set) var values = JSONValue.object([])
    private(set) var findings: [DocumentError.Finding] = []
    private(set) var notes: [String] = []

    private static let path = "spec.components.cni.k8s"

    init(_ settings: JSONValue) {
        for member in settings.members ?? [] where !member.value.isNull { take(member) }
    }

    private mutating func take(_ member: JSONMember) {
        let value = member.value
        switch member.name {
        case "affinity", "podAnnotations", "resources", "tolerations": set(member.name, value)
        case "imagePullPolicy": set("pullPolicy", value)
        case "strategy": set("updateStrategy", value)
        case "env": takeVariables(value)
        case "securityContext": takeSecurityContext(value)
        case "overlays": takeOverlays(value)
        case "priorityClassName":
            guard value.string != "system-node-critical" else { return }
            refuse(member.name, "the agent is system-node-critical: without it no pod of a node gets into the mesh")
        case "nodeSelector":
            guard value != .strings([("kubernetes.io/os", "linux")]) else { return }
            refuse(member.name, "the chart has no value for it; say it as affinity.nodeAffinity")
        case "replicaCount": refuse(member.name, "a DaemonSet has one pod a node")
        case "readinessProbe": refuse(member.name, "the chart's probe is the agent's own")
        case "volumes", "volumeMounts": ignore(member.name, "has no effect, here as in istioctl")
        default: ignore(member.name, "has no effect: the agent has no such object")
        }
    }

    private mutating func set(_ name: String, _ value: JSONValue) { values = values.setting(name, value) }

    private mutating func refuse(_ name: String, _ problem: String) {
        findings.append(.init(path: "\(Self.path).\(name)", problem: problem))
    }

    private mutating func ignore(_ name: String, _ problem: String) { notes.append("\(Self.path).\(name) \(problem)") }

    private mutating func takeVariables(_ list: JSONValue) {
        for (index, variable) in (list.array ?? []).enumerated() {
            let place = "env[\(index)]"
            guard let name = variable["name"]?.string else {
                refuse(place, "has no name")
                continue
            }
            guard variable["valueFrom"] == nil else {
                refuse("\(place).valueFrom", "the chart's env has plain values only")
                continue
            }
            values = values.setting(path: ["env", name], variable["value"] ?? .string(""))
        }
    }

    private mutating func takeSecurityContext(_ context: JSONValue) {
        for member in context.members ?? [] where !member.value.isNull {
            if ["seccompProfile", "seLinuxOptions"].contains(member.name) {
                set(member.name, member.value)
            } else {
                refuse(
                    "securityContext.\(member.name)",
                    "the agent's rights and user are fixed; see docs/threat-model.md"
                )
            }
        }
    }
}

// MARK: - Overlays

extension KubernetesSettings {
    /// Places in the DaemonSet that a value of the chart fills.
    private static let placesOfValues = [
        "metadata.labels": "daemonSetLabels",
        "spec.updateStrategy": "updateStrategy",
        "spec.template.metadata.annotations": "podAnnotations",
        "spec.template.metadata.labels": "podLabels",
        "spec.template.spec.affinity": "affinity",
        "spec.template.spec.tolerations": "tolerations",
        "spec.template.spec.terminationGracePeriodSeconds": "terminationGracePeriodSeconds",
        "spec.template.spec.containers.[name:install-cni].image": "image",
        "spec.template.spec.containers.[name:install-cni].imagePullPolicy": "pullPolicy",
        "spec.template.spec.containers.[name:install-cni].resources": "resources",
    ]

    private mutating func takeOverlays(_ overlays: JSONValue) {
        for (index, overlay) in (overlays.array ?? []).enumerated() {
            let isAgent = overlay["kind"]?.string == "DaemonSet" && overlay["name"]?.string == "istio-cni-node"
            guard isAgent else {
                refuse(
                    "overlays[\(index)]",
                    "only DaemonSet istio-cni-node can be changed; for others use Helm's values"
                )
                continue
            }
            for (number, patch) in (overlay["patches"]?.array ?? []).enumerated() {
                take(patch, at: "overlays[\(index)].patches[\(number)]")
            }
        }
    }

    private mutating func take(_ patch: JSONValue, at place: String) {
        let path = patch["path"]?.string ?? ""
        let names = SetExpression.path(path)
        for (prefix, value) in Self.placesOfValues {
            let start = SetExpression.path(prefix)
            guard names.starts(with: start) else { continue }
            let rest = names.dropFirst(start.count)
            // An element of a list has no place in values: lists replace as a whole.
            guard !rest.contains(where: { $0.hasPrefix("[") }) else { break }
            values = values.setting(path: ([value] + rest)[...], patch["value"] ?? .null)
            return
        }
        let known = Self.placesOfValues.keys.sorted().joined(separator: ", ")
        refuse(
            "\(place).path",
            "no value of the chart is for \(path.isEmpty ? "an empty path" : path), only for \(known)"
        )
    }
}
