package import CNIProtocol

/// Which fields a document may have, and of what kind: anything else is an error that names the path.
package enum OperatorSchema {
    indirect enum Field: Sendable {
        case text
        case scalar
        case boolean
        case anything
        case object([String: Field])
        case list(Field)

        var word: String {
            switch self {
            case .text: "a string"
            case .scalar: "a string or a number"
            case .boolean: "true or false"
            case .anything: "anything"
            case .object: "an object"
            case .list: "a list"
            }
        }
    }

    private static let kubernetes = Field.object([
        "affinity": .anything, "env": .list(.anything), "hpaSpec": .anything, "imagePullPolicy": .text,
        "nodeSelector": .anything, "overlays": .list(.anything), "podAnnotations": .anything,
        "podDisruptionBudget": .anything, "priorityClassName": .text, "readinessProbe": .anything,
        "replicaCount": .anything, "resources": .anything, "securityContext": .anything, "service": .anything,
        "serviceAnnotations": .anything, "strategy": .anything, "tolerations": .list(.anything),
        "volumeMounts": .list(.anything), "volumes": .list(.anything),
    ])

    private static let component = Field.object([
        "enabled": .boolean, "namespace": .text, "hub": .text, "tag": .scalar, "k8s": kubernetes,
    ])

    private static let gateway = Field.object([
        "enabled": .boolean, "namespace": .text, "hub": .text, "tag": .scalar, "k8s": .anything, "name": .text,
        "label": .anything,
    ])

    private static let other = Field.object([
        "enabled": .boolean, "namespace": .text, "hub": .text, "tag": .scalar, "k8s": .anything,
    ])

    /// The keys of `values.cni`: those of the chart, flat ones that `istioctl` has beside them included.
    package static let componentValues: [String] = [
        "affinity", "ambient", "chained", "cniBinDir", "cniConfDir", "cniConfFileName", "cniNetnsDir",
        "daemonSetLabels",
        "enabled", "env", "excludeNamespaces", "hub", "image", "istioOwnedCNIConfig", "istioOwnedCNIConfigFileName",
        "logLevel", "logging", "nodeSelector", "podAnnotations", "podLabels", "privileged", "provider",
        "psp_cluster_role", "pullPolicy", "repair", "resourceQuotas", "resources", "rollingMaxUnavailable",
        "seLinuxOptions", "seccompProfile", "tag", "terminationGracePeriodSeconds", "tolerations", "updateStrategy",
        "useAppArmorAnnotation", "variant",
    ]

    private static let repair: [String] = [
        "brokenPodLabelKey", "brokenPodLabelValue", "createEvents", "deletePods", "enabled", "hub", "image",
        "initContainerName", "labelPods", "repairPods", "tag",
    ]

    private static let values: Field = {
        var cni = Dictionary(uniqueKeysWithValues: componentValues.map { ($0, Field.anything) })
        cni["repair"] = .object(Dictionary(uniqueKeysWithValues: repair.map { ($0, Field.anything) }))
        for name in ["chained", "istioOwnedCNIConfig"] { cni[name] = .boolean }
        for name in ["cniBinDir", "cniConfDir", "cniConfFileName", "cniNetnsDir", "provider"] { cni[name] = .text }
        cni["excludeNamespaces"] = .list(.text)
        return .object([
            "base": .anything, "cni": .object(cni), "compatibilityVersion": .scalar, "defaultRevision": .anything,
            "experimental": .anything, "gateways": .anything, "global": .anything, "istio_cni": .anything,
            "istiodRemote": .anything, "meshConfig": .anything, "ownerName": .text,
            "pilot": .object([:]), "profile": .text, "revision": .text, "revisionTags": .anything,
            "sidecarInjectorWebhook": .anything, "telemetry": .anything, "ztunnel": .anything,
        ])
    }()

    private static let spec = Field.object([
        "profile": .text, "installPackagePath": .text, "hub": .text, "tag": .scalar, "namespace": .text,
        "revision": .text, "compatibilityVersion": .scalar, "meshConfig": .anything,
        "components": .object([
            "base": other, "pilot": other, "cni": component, "ztunnel": other, "istiodRemote": other,
            "ingressGateways": .list(gateway), "egressGateways": .list(gateway),
        ]),
        "values": values, "unvalidatedValues": .anything,
    ])

    package static func check(_ value: JSONValue, _ path: String) throws(OperatorDocument.Failure) {
        try check(value, spec, path)
    }

    private static func check(_ value: JSONValue, _ field: Field, _ path: String) throws(OperatorDocument.Failure) {
        if value.isNull { return }
        switch (field, value) {
        case (.anything, _), (.text, .string), (.boolean, .bool), (.scalar, .string), (.scalar, .number): return
        case (.object(let fields), .object(let members)):
            // The rest of `pilot` is the control plane's own.
            if fields.isEmpty { return }
            for member in members {
                guard let known = fields[member.name] else {
                    throw OperatorDocument.Failure(unknown(member.name, path, fields.keys.sorted()))
                }
                try check(member.value, known, "\(path).\(member.name)")
            }
        case (.list(let element), .array(let elements)):
            for (index, value) in elements.enumerated() { try check(value, element, "\(path)[\(index)]") }
        default:
            throw OperatorDocument.Failure(
                "\(path): want \(field.word), and it is \(value.kind): \(value.text().prefix(80))"
            )
        }
    }

    static func unknown(_ name: String, _ path: String, _ names: [String]) -> String {
        "\(path.isEmpty ? name : "\(path).\(name)"): unknown field\(Suggestion.nearest(to: name, in: names))"
    }
}
