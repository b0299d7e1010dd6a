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
        let components = spec["components"] ?? .null
        let system = "-n \(systemNamespace)"
        let isRevised = revision != "default"
        let setRevision = isRevised ? " --set revision=\(revision)" : ""
        var found: [OtherComponent] = []
        func add(_ component: String, _ name: String, _ arguments: String) {
            guard components[component]?["enabled"]?.bool == true else { return }
            found.append(OtherComponent(name: name, command: "helm upgrade --install \(arguments)"))
        }
        add("base", "base", "istio-base istio/base \(system) --create-namespace")
        for component in ["pilot", "istiodRemote"] {
            add(
                component,
                isRevised ? "istiod of revision \(revision)" : "istiod",
                "istiod\(isRevised ? "-\(revision)" : "") istio/istiod \(system)\(setRevision) --set pilot.cni.enabled=true"
            )
        }
        let ztunnel = components["ztunnel"]?["namespace"]?.text.map { "-n \($0)" } ?? system
        add("ztunnel", "ztunnel", "ztunnel istio/ztunnel \(ztunnel)")
        return found
            + ["ingressGateways", "egressGateways"].flatMap { list in
                (components[list]?.array ?? []).filter { $0["enabled"]?.bool == true }.map { gateway in
                    let name =
                        gateway["name"]?.text
                        ?? (list == "ingressGateways" ? "istio-ingressgateway" : "istio-egressgateway")
                    let place = gateway["namespace"]?.text.map { "-n \($0)" } ?? system
                    return OtherComponent(
                        name: "gateway \(name)",
                        command: "helm upgrade --install \(name) istio/gateway \(place)\(setRevision)"
                    )
                }
            }
    }
}
