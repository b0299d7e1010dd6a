package import CNIProtocol

/// What Helm is told: the release of the CNI component that a document asks for.
package struct CNIRelease: Equatable, Sendable {
    package static let name = "istio-cni"
    package let namespace: String

    /// For the chart.
    package let values: JSONValue

    /// What of the document has no effect, and why.
    package let warnings: [String]

    /// - Throws: What of the document cannot be carried over into values, under its path.
    package init(_ document: OperatorDocument) throws(OperatorDocument.Failure) {
        guard document.isEnabled else {
            throw OperatorDocument.Failure(
                "spec.components.cni is not enabled, and nothing else is installed here: set components.cni.enabled: true"
            )
        }
        namespace = document.componentNamespace
        let spec = document.spec
        let given = spec["values"] ?? .object([])
        var values = JSONValue.object([])
        for name in ["global", "revision", "profile", "compatibilityVersion", "ownerName"] {
            if let value = given[name], !value.isNull { values = values.setting(name, value) }
        }
        for (field, path) in [
            ("hub", ["global", "hub"]), ("tag", ["global", "tag"]), ("revision", ["revision"]),
            ("compatibilityVersion", ["compatibilityVersion"]),
        ] {
            if let value = spec[field], !value.isNull, values[path: path] == nil {
                values = values.setting(path: path[...], value)
            }
        }
        if !document.name.isEmpty { values = values.setting("ownerName", .string(document.name)) }
        var component = JSONValue.object([])
        for name in ["hub", "tag"] {
            if let value = document.component[name], !value.isNull { component = component.setting(name, value) }
        }
        let (kubernetes, warnings) = try Self.values(of: document.component["k8s"] ?? .object([]))
        component = component.merging(given["cni"] ?? .object([])).merging(kubernetes)
        values = values.setting("cni", component)
        self.values = values.merging(Self.relevant(spec["unvalidatedValues"] ?? .object([])))
        self.warnings = warnings
    }

    /// Of values that nobody has checked only those that are the chart's.
    private static func relevant(_ values: JSONValue) -> JSONValue {
        let names = ["cni", "compatibilityVersion", "global", "ownerName", "profile", "revision"]
        return .object((values.members ?? []).filter { names.contains($0.name) })
    }

    // MARK: - components.cni.k8s

    /// Fields that have a value of the chart.
    private static let carried = [
        "affinity": "affinity", "imagePullPolicy": "pullPolicy", "podAnnotations": "podAnnotations",
        "resources": "resources", "strategy": "updateStrategy", "tolerations": "tolerations",
    ]

    /// Fields that are about objects which a DaemonSet does not have.
    private static let withoutEffect = [
        "hpaSpec", "podDisruptionBudget", "service", "serviceAnnotations", "volumeMounts", "volumes",
    ]

    private static func values(
        of kubernetes: JSONValue
    ) throws(OperatorDocument.Failure) -> (JSONValue, [String]) {
        var values = JSONValue.object([])
        var warnings: [String] = []
        for member in kubernetes.members ?? [] where !member.value.isNull {
            let path = "spec.components.cni.k8s.\(member.name)"
            if let key = carried[member.name] {
                values = values.setting(key, member.value)
            } else if member.name == "env" {
                values = values.setting("env", try environment(member.value, path))
            } else if member.name == "priorityClassName", member.value.string == "system-node-critical" {
                continue
            } else if withoutEffect.contains(member.name) {
                warnings.append("\(path): has no effect on a DaemonSet, and is left out")
            } else {
                throw OperatorDocument.Failure(
                    "\(path): the chart has no value for it, so it cannot be carried over; take it out, or install with Helm and "
                        + "a post-renderer"
                )
            }
        }
        return (values, warnings)
    }

    private static func environment(_ list: JSONValue, _ path: String) throws(OperatorDocument.Failure) -> JSONValue {
        var members: [JSONMember] = []
        for (index, variable) in (list.array ?? []).enumerated() {
            guard let name = variable["name"]?.string, let value = variable["value"] else {
                throw OperatorDocument.Failure(
                    "\(path)[\(index)]: want name and value; valueFrom cannot be carried over"
                )
            }
            members.append(JSONMember(name, value))
        }
        return .object(members)
    }

    /// The same for a cluster of GKE, whose quota must be there outside `kube-system`, and not within.
    package func onGKE() -> CNIRelease {
        var values = self.values
        if values[path: ["global", "platform"]] == nil {
            values = values.setting(path: ["global", "platform"], .string("gke"))
        }
        if values[path: ["cni", "resourceQuotas"]] == nil {
            values = values.setting(path: ["cni", "resourceQuotas", "enabled"], .bool(namespace != "kube-system"))
        }
        return CNIRelease(namespace: namespace, values: values, warnings: warnings)
    }

    private init(namespace: String, values: JSONValue, warnings: [String]) {
        self.namespace = namespace
        self.values = values
        self.warnings = warnings
    }
}
