package import CNIProtocol

/// What Helm is to make of a document: one release, of the agent alone.
package struct ReleasePlan: Equatable, Sendable {
    /// The name of the release: the agent is one for the whole cluster.
    package static let release = "istio-cni"

    package let namespace: String
    package let systemNamespace: String
    package let profile: String

    /// `default` where the document names none.
    package let revision: String

    /// The values for the chart.
    package let values: JSONValue

    /// What the document says that is done otherwise, or not at all.
    package let notes: [String]

    /// What the document enables beside the agent, and who installs it.
    package let others: [OtherComponent]

    /// Whether the document's control plane leaves redirection to the agent.
    package let controlPlaneUsesAgent: Bool

    /// Whether ambient mode is asked for, which this agent does not have.
    package let asksForAmbient: Bool

    /// What is said where it is.
    package static let noAmbient =
        "ambient mode is asked for, and this agent has none: it would not become ready. Set "
        + "values.cni.ambient.enabled: false, or use Istio's own agent"

    /// That no image of this agent is named; nil where one is.
    package let imageFinding: DocumentError.Finding?

    /// - Throws: What of the document cannot be carried over, with its path, and that it does not enable the agent.
    package init(_ document: InstallDocument, server: ServerVersion? = nil) throws(DocumentError) {
        let spec = document.spec
        let component = spec[path: ["components", "cni"]] ?? .null
        // A component without `enabled` is installed, as istioctl does.
        guard !component.isNull, component["enabled"]?.bool ?? true else {
            throw DocumentError(
                "spec.components.cni.enabled",
                "is not true, so there is nothing to install: this program installs the CNI component only"
            )
        }
        systemNamespace = document.systemNamespace
        namespace = component["namespace"]?.text ?? systemNamespace
        profile = spec["profile"]?.text ?? "default"
        let settings = KubernetesSettings(component["k8s"] ?? .null)
        guard settings.findings.isEmpty else { throw DocumentError(settings.findings) }
        var values = Self.values(spec, component, settings)
        // As istioctl labels objects with the document's name.
        if !document.name.isEmpty, values["ownerName"] == nil {
            values = values.setting("ownerName", .string(document.name))
        }
        if server?.isGKE == true, namespace == "kube-system", !document.setsQuota {
            values = values.setting(path: ["cni", "resourceQuotas", "enabled"], .bool(false))
        }
        self.values = values
        revision = values["revision"]?.text ?? "default"
        let uses = spec[path: ["values", "pilot", "cni", "enabled"]]?.bool
        controlPlaneUsesAgent = uses ?? component["enabled"]?.bool ?? false
        let ambient = values[path: ["cni", "ambient", "enabled"]]?.bool
        let presets = [values[path: ["cni", "profile"]], values["profile"], values[path: ["global", "profile"]]]
        asksForAmbient = ambient ?? (presets.compactMap { $0?.text }.first == "ambient")
        others = OtherComponent.all(in: spec, revision: revision, systemNamespace: systemNamespace)
        imageFinding = ImageSource.finding(in: values, of: spec)
        notes = Self.notes(document, component) + settings.notes
    }

    /// From low to high: what stands for all components, what stands for this one, its values, its settings of Kubernetes.
    private static func values(
        _ spec: JSONValue,
        _ component: JSONValue,
        _ settings: KubernetesSettings
    ) -> JSONValue {
        var result = JSONValue.object([])
        for (name, path) in [
            ("hub", ["global", "hub"]), ("tag", ["global", "tag"]), ("revision", ["revision"]),
            ("compatibilityVersion", ["compatibilityVersion"]),
        ] {
            if let text = spec[name]?.text { result = result.setting(path: path[...], .string(text)) }
        }
        for name in ["hub", "tag"] {
            if let text = component[name]?.text { result = result.setting(path: ["cni", name], .string(text)) }
        }
        for source in ["values", "unvalidatedValues"] {
            for name in ["cni", "global", "revision", "profile", "platform", "compatibilityVersion", "ownerName"] {
                guard let value = spec[path: [source, name]], !value.isNull else { continue }
                result = result.setting(name, result[name]?.merging(value) ?? value)
            }
        }
        guard settings.values.members?.isEmpty == false else { return result }
        return result.setting("cni", (result["cni"] ?? .object([])).merging(settings.values))
    }

    private static func notes(_ document: InstallDocument, _ component: JSONValue) -> [String] {
        let own = document.own
        var notes: [String] = []
        if own["namespace"] != nil {
            notes.append("spec.namespace has no effect; components.cni.namespace and metadata.namespace have")
        }
        if own["installPackagePath"] != nil {
            notes.append("spec.installPackagePath has no effect; --chart names the chart")
        }
        if component["enabled"]?.bool == nil {
            notes.append(
                "spec.components.cni.enabled is not set: the agent is installed, but a control plane of this document has "
                    + "pilot.cni.enabled=false"
            )
        }
        for path in [["tag"], ["components", "cni", "tag"], ["values", "global", "tag"], ["values", "cni", "tag"]] {
            guard case .number(let text)? = own[path: path] else { continue }
            notes.append(
                "spec.\(path.joined(separator: ".")) is the number \(text): put a tag into quotes, or 1.30 is 1.3"
            )
        }
        return notes
    }
}

extension InstallDocument {
    /// Whether people have decided about the quota themselves.
    fileprivate var setsQuota: Bool {
        ["values", "unvalidatedValues"].contains { own[path: [$0, "cni", "resourceQuotas", "enabled"]]?.bool != nil }
    }
}

extension JSONValue {
    /// A text that is not empty, or a number as it is written.
    var text: String? {
        switch self {
        case .string(let text) where !text.isEmpty: text
        case .number(let text): text
        default: nil
        }
    }
}
