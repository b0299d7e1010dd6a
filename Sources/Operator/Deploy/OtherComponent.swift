internal import CNIProtocol

/// A component of Istio that a document enables and this program does not install.
package struct OtherComponent: Equatable, Sendable {
    /// As people call it: `istiod`.
    package let name: String

    /// The command that installs it, of Istio's own charts.
    package let command: String

    static let repository = "helm repo add istio https://istio-release.storage.googleapis.com/charts"

    /// Those that are enabled, in the order in which they are to be installed.
    static func all(in spec: JSONValue, revision: String, systemNamespace: String) -> [OtherComponent] {
        let document = Document(spec: spec, revision: revision, systemNamespace: systemNamespace)
        return [document.base, document.controlPlane, document.ztunnel].compactMap { $0 } + document.gateways
    }
}

/// What of a document decides the commands.
private struct Document {
    let spec: JSONValue
    let revision: String
    let systemNamespace: String

    var base: OtherComponent? {
        guard isEnabled("base") else { return nil }
        return component("base", "istio-base istio/base \(place("base")) --create-namespace")
    }

    /// One, whichever of the two components asks for it.
    var controlPlane: OtherComponent? {
        guard let asking = ["pilot", "istiodRemote"].first(where: isEnabled) else { return nil }
        let namespace = place(asking)
        let create = namespace == place("") ? "" : " --create-namespace"
        return component(
            isRevised ? "istiod of revision \(revision)" : "istiod",
            "istiod\(isRevised ? "-\(revision)" : "") istio/istiod \(namespace)\(create)\(setRevision)"
                + " --set pilot.cni.enabled=true\(setProvider)"
        )
    }

    var ztunnel: OtherComponent? {
        guard isEnabled("ztunnel") else { return nil }
        return component("ztunnel", "ztunnel istio/ztunnel \(place("ztunnel"))")
    }

    var gateways: [OtherComponent] {
        ["ingressGateways", "egressGateways"].flatMap { list in
            (spec[path: ["components", list]]?.array ?? []).filter { $0["enabled"]?.bool == true }.map { gateway in
                let usual = list == "ingressGateways" ? "istio-ingressgateway" : "istio-egressgateway"
                let name = gateway["name"]?.text ?? usual
                let namespace = gateway["namespace"]?.text ?? systemNamespace
                return component("gateway \(name)", "\(name) istio/gateway -n \(namespace)\(setRevision)")
            }
        }
    }

    // MARK: Parts of a command

    private func component(_ name: String, _ arguments: String) -> OtherComponent {
        OtherComponent(name: name, command: "helm upgrade --install \(arguments)\(settings)")
    }

    private func isEnabled(_ name: String) -> Bool { spec[path: ["components", name, "enabled"]]?.bool == true }

    private func place(_ name: String) -> String {
        "-n \(spec[path: ["components", name, "namespace"]]?.text ?? systemNamespace)"
    }

    private var isRevised: Bool { revision != "default" }

    private var setRevision: String { isRevised ? " --set revision=\(revision)" : "" }

    /// What all of Istio's charts take, and must agree about.
    private var settings: String {
        let setPlatform = platform.map { " --set global.platform=\($0)" } ?? ""
        return setPlatform
            + (systemNamespace == "istio-system" ? "" : " --set global.istioNamespace=\(systemNamespace)")
    }

    /// The platform OpenShift brings Multus to istiod; elsewhere it must be said, or pods do not get the annotation by
    /// which Multus calls the plugin.
    private var setProvider: String {
        let isMultus = [["cni", "provider"], ["pilot", "cni", "provider"]].contains { value($0) == "multus" }
        return isMultus && platform != "openshift" ? " --set pilot.cni.provider=multus" : ""
    }

    private var platform: String? { value(["platform"]) ?? value(["global", "platform"]) }

    private func value(_ path: [String]) -> String? {
        ["unvalidatedValues", "values"].lazy.compactMap { spec[path: [$0] + path]?.text }.first
    }
}
