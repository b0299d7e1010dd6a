package import CNIProtocol

/// The values of a control plane as people give them: files, and single ones over them.
///
/// What is read and has no effect would leave a pod with the opposite of what was said, so it is refused or named.
package struct ControlPlaneValues: Equatable, Sendable {
    package let value: JSONValue

    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// - Parameters:
    ///   - files: Each with its name; the last wins.
    ///   - settings: Over those of the files.
    /// - Throws: A file that holds no values, or a value that the injector would fail on or turn round.
    package init(
        files: [(name: String, documents: [JSONValue])],
        settings: [SetExpression] = []
    ) throws(Failure) {
        var value = JSONValue.object([])
        for (name, documents) in files {
            for document in documents {
                try Self.check(document, of: name)
                value = value.merging(document)
            }
        }
        for setting in settings { value = value.setting(path: setting.path[...], setting.value) }
        self.value = value
        try checkMaps()
        try checkPluginSwitch()
    }

    // MARK: - What is refused

    private static func check(_ document: JSONValue, of name: String) throws(Failure) {
        guard document.members != nil else {
            throw Failure(description: "\(name) holds \(document.kind), want a map of values")
        }
        guard let kind = document["kind"]?.string else { return }
        var text = "\(name) is a document of kind \(kind), want values: global, pilot, meshConfig, revision"
        if kind == "IstioOperator" {
            text += ". They stand in it below spec.values, with spec.meshConfig beside them: "
            text +=
                #"yq '.spec.values * {"meshConfig": .spec.meshConfig}' \#(name == "standard input" ? "FILE" : name)"#
        }
        throw Failure(description: text)
    }

    /// What is looked into: anything else there would read as "not set".
    private static let maps = [
        ["pilot"], ["pilot", "cni"], ["cni"], ["global"], ["global", "proxy"], ["global", "logging"], ["meshConfig"],
        ["meshConfig", "defaultConfig"],
    ]

    private func checkMaps() throws(Failure) {
        for path in Self.maps {
            guard let found = value[path: path], !found.isNull, found.members == nil else { continue }
            let name = path.joined(separator: ".")
            // Specification of the installation, N 4.1.
            let hint =
                path.last == "cni"
                ? "; Istio's injector fails on it (istio/istio#51071): set \(name).enabled to true or false" : ""
            throw Failure(description: "\(name) is \(found.text()), want a map\(hint)")
        }
    }

    /// A text is true to Helm's templates, whatever it says.
    private func checkPluginSwitch() throws(Failure) {
        for path in [["pilot", "cni", "enabled"], ["cni", "enabled"]] {
            guard let found = value[path: path], !found.isNull, found.bool == nil else { continue }
            throw Failure(description: "\(path.joined(separator: ".")) is \(found.text()), want true or false")
        }
    }

    // MARK: - What has no effect

    /// Keys at the top that no chart of Istio has, each with the one that may have been meant.
    package var warnings: [String] {
        (value.members ?? []).map(\.name).filter { name in !Self.known.contains(name) }.map { name in
            let guess = NearestName.of(name, among: Self.known.sorted()).map { "; did you mean \($0)?" } ?? ""
            return "values: \(name) is no value of Istio's and has no effect\(guess)"
        }
    }

    private static let known = DocumentSchema.otherValues.union(istiod).union(["cni", "global"])

    /// What the chart `istiod` takes at its top beside the values of all charts (istio/istio, 1.30).
    private static let istiod: Set<String> = [
        "_internal_defaults_do_not_set", "affinity", "ambientInitContainerInjection", "autoscaleBehavior",
        "autoscaleEnabled", "autoscaleMax", "autoscaleMin", "configMap", "cpu", "deploymentAnnotations",
        "deploymentLabels", "env", "envVarFrom", "extraContainerArgs", "gatewayClasses", "hub", "image",
        "initContainers", "ipFamilies", "ipFamilyPolicy", "jwksResolverExtraRootCA", "keepaliveMaxServerConnectionAge",
        "memory", "nodeSelector", "podAnnotations", "podLabels", "replicaCount", "resources", "revisionTags",
        "rollingMaxSurge", "rollingMaxUnavailable", "seccompProfile", "serviceAccountAnnotations",
        "serviceAnnotations", "sidecarInjectorWebhookAnnotations", "tag", "tolerations", "topologySpreadConstraints",
        "traceSampling", "trustedZtunnelName", "trustedZtunnelNamespace", "variant", "volumeMounts", "volumes",
    ]
}
