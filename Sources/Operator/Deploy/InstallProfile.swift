internal import CNIProtocol

/// Istio's built-in installation profiles, as far as they say which components there are and how the agent is set.
///
/// The profile `default` lies below each of them.
enum InstallProfile: String, CaseIterable {
    case `default`, empty, minimal, ambient, openshift, demo, preview, stable, remote
    case openshiftAmbient = "openshift-ambient"

    /// The `spec` that lies below the document's own.
    var spec: JSONValue {
        let base = Self.components([("base", true), ("pilot", true)], ingress: true, egress: false)
        return base.merging(own)
    }

    private var own: JSONValue {
        switch self {
        case .default: .object([])
        case .empty: Self.components([("base", false), ("pilot", false)], ingress: false)
        case .minimal: Self.components([], ingress: false)
        case .ambient:
            Self.components([("cni", true), ("ztunnel", true)], ingress: false)
                .merging(Self.values(profile: "ambient"))
        case .openshift: Self.openShift
        case .openshiftAmbient:
            Self.openShift.merging(Self.components([("ztunnel", true)], ingress: false))
                .merging(Self.values(profile: "ambient"))
        case .demo: Self.components([], egress: true).merging(Self.values(profile: rawValue))
        case .preview, .stable: Self.values(profile: rawValue)
        case .remote: Self.components([], ingress: false).merging(Self.values(profile: rawValue))
        }
    }

    private static var openShift: JSONValue {
        components([("cni", true)])
            .setting(path: ["components", "cni", "namespace"], .string("kube-system"))
            .setting(path: ["values", "global", "platform"], .string("openshift"))
    }

    private static func values(profile: String) -> JSONValue {
        JSONValue.object([]).setting(path: ["values", "profile"], .string(profile))
    }

    private static func components(
        _ components: [(String, Bool)],
        ingress: Bool? = nil,
        egress: Bool? = nil
    ) -> JSONValue {
        var spec = JSONValue.object([])
        for (name, isEnabled) in components {
            spec = spec.setting(path: ["components", name, "enabled"], .bool(isEnabled))
        }
        for (list, name, isEnabled) in [
            ("ingressGateways", "istio-ingressgateway", ingress), ("egressGateways", "istio-egressgateway", egress),
        ] {
            guard let isEnabled else { continue }
            let gateway = JSONValue.object([
                JSONMember("name", .string(name)), JSONMember("enabled", .bool(isEnabled)),
            ])
            spec = spec.setting(path: ["components", list], .array([gateway]))
        }
        return spec
    }
}
