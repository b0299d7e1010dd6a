package import CNIProtocol

/// An `IstioOperator` document: what to install, as `istioctl` takes it (spec install.md, section 3).
package struct OperatorDocument: Equatable, Sendable {
    package let name: String

    /// Where the control plane is: `metadata.namespace`, which `values.global.istioNamespace` sets as well.
    package let namespace: String
    package let spec: JSONValue

    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String

        package init(_ description: String) { self.description = description }
    }

    /// Merges files and settings in the order in which `istioctl` does; later ones win, and lists replace.
    ///
    /// - Parameters:
    ///   - files: Each file's name and its documents.
    ///   - settings: `--set`, with paths below `spec`.
    /// - Throws: The path that is wrong, and what it may have been meant to be.
    package init(files: [(name: String, documents: [JSONValue])], settings: [SetExpression]) throws(Failure) {
        var name = ""
        var namespace: String?
        var own = JSONValue.object([])
        for file in files {
            let document = try Self.single(file)
            name = document["metadata"]?["name"]?.string ?? name
            namespace = document["metadata"]?["namespace"]?.string ?? namespace
            own = own.merging(document["spec"] ?? .object([]))
        }
        for setting in settings { own = own.setting(path: setting.path[...], setting.value) }
        try OperatorSchema.check(own, "spec")
        let profile = try OperatorProfile.named(own["profile"]?.string ?? "default")
        spec = OperatorProfile.standard.merging(profile).merging(own)
        self.name = name
        let values = spec[path: ["values", "global", "istioNamespace"]]?.string
        self.namespace = namespace ?? values ?? "istio-system"
    }

    private static func single(_ file: (name: String, documents: [JSONValue])) throws(Failure) -> JSONValue {
        let documents = file.documents.filter { !$0.isNull }
        guard documents.count == 1, let document = documents.first else {
            throw Failure("\(file.name): \(documents.count) documents; want one IstioOperator")
        }
        guard document["kind"]?.string == "IstioOperator",
            document["apiVersion"]?.string == "install.istio.io/v1alpha1"
        else {
            let found = "\(document["apiVersion"]?.string ?? "?") \(document["kind"]?.string ?? "?")"
            throw Failure("\(file.name): want install.istio.io/v1alpha1 IstioOperator, and it is \(found)")
        }
        for member in document.members ?? []
        where !["apiVersion", "kind", "metadata", "spec", "status"].contains(member.name) {
            throw Failure(
                "\(file.name): \(OperatorSchema.unknown(member.name, "", ["apiVersion", "kind", "metadata", "spec"]))"
            )
        }
        return document
    }

    /// The CNI component; it counts as enabled where it is named without a word about that.
    package var component: JSONValue { spec[path: ["components", "cni"]] ?? .null }

    package var isEnabled: Bool { component.isNull ? false : component["enabled"]?.bool ?? true }

    package var componentNamespace: String { component["namespace"]?.string ?? namespace }

    /// The components that the document enables and that are not installed here, as people call them.
    package var otherComponents: [String] {
        let components = spec["components"] ?? .null
        var names: [String] = []
        for name in ["base", "pilot", "istiodRemote", "ztunnel"] where components[name]?["enabled"]?.bool == true {
            names.append(name)
        }
        for list in ["ingressGateways", "egressGateways"] {
            for gateway in components[list]?.array ?? [] where gateway["enabled"]?.bool == true {
                names.append("\(list.dropLast()) \(gateway["name"]?.string ?? "?")")
            }
        }
        return names
    }

    /// Revisions of control planes that the document is about.
    package var revision: String { spec["revision"]?.string ?? "" }
}

/// The profiles of `istioctl`, in what they say about components and the CNI.
enum OperatorProfile {
    static let standard = profile(enabled: ["base", "pilot"], gateways: true)

    private static let all: [String: JSONValue] = [
        "default": .object([]), "preview": .object([]),
        "empty": profile(disabled: ["base", "pilot"], gateways: false),
        "minimal": profile(gateways: false), "stable": .object([]), "demo": values(profile: "demo"),
        "remote": profile(gateways: false),
        "ambient": profile(enabled: ["cni", "ztunnel"], gateways: false).merging(values(profile: "ambient")),
        "openshift": openShift.merging(profile(enabled: ["cni"])),
        "openshift-ambient": openShift.merging(profile(enabled: ["cni", "ztunnel"], gateways: false))
            .merging(values(profile: "ambient")),
    ]

    static func named(_ name: String) throws(OperatorDocument.Failure) -> JSONValue {
        guard let profile = all[name] else {
            let suggestion = Suggestion.nearest(to: name, in: all.keys.sorted())
            throw OperatorDocument.Failure(
                "spec.profile: unknown profile \(name)\(suggestion); there are \(all.keys.sorted().joined(separator: ", "))"
            )
        }
        return profile
    }

    private static let openShift = JSONValue.object([]).setting(
        path: ["components", "cni", "namespace"],
        .string("kube-system")
    ).setting(path: ["values", "global", "platform"], .string("openshift"))

    private static func values(profile: String) -> JSONValue {
        JSONValue.object([]).setting(path: ["values", "profile"], .string(profile))
    }

    private static func profile(enabled: [String] = [], disabled: [String] = [], gateways: Bool? = nil) -> JSONValue {
        var spec = JSONValue.object([])
        for name in enabled { spec = spec.setting(path: ["components", name, "enabled"], .bool(true)) }
        for name in disabled { spec = spec.setting(path: ["components", name, "enabled"], .bool(false)) }
        guard let gateways else { return spec }
        let ingress = JSONValue.object([
            JSONMember("name", .string("istio-ingressgateway")), JSONMember("enabled", .bool(gateways)),
        ])
        return spec.setting(path: ["components", "ingressGateways"], .array([ingress]))
    }
}
