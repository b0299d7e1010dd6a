internal import CNIProtocol

/// Where the agent's image is to come from.
enum ImageSource {
    /// What is wrong with it, as far as that can be known without asking a registry.
    ///
    /// - Parameters:
    ///   - values: For the chart, which takes `image` for the whole reference if it holds a slash, else puts `hub` before it.
    ///   - spec: Of the document, to name the field that says it.
    /// - Returns: That there is none, or that it is Istio's own.
    static func finding(in values: JSONValue, of spec: JSONValue) -> DocumentError.Finding? {
        let image = values[path: ["cni", "image"]]?.text ?? ""
        if image.contains("/") { return isUpstream(image) ? upstream(image, spec, images) : nil }
        guard let hub = values[path: ["cni", "hub"]]?.text ?? values[path: ["global", "hub"]]?.text else {
            return .init(
                path: "spec.hub",
                problem: "is not set, and no public registry holds this image yet: --set hub=REGISTRY"
            )
        }
        return isUpstream(hub) ? upstream(hub, spec, hubs) : nil
    }

    private static func upstream(_ text: String, _ spec: JSONValue, _ places: [[String]]) -> DocumentError.Finding {
        let place = places.first { spec[path: $0]?.text == text } ?? places[0]
        // The component's own field lies over all but the agent's values, and leaves the control plane's alone.
        let field = place.contains("cni") ? place : ["components", "cni", "hub"]
        let want = field.last == "image" ? "REGISTRY/install-cni:TAG" : "REGISTRY"
        return .init(
            path: "spec.\(place.joined(separator: "."))",
            problem:
                "\(text) holds Istio's own agent, not this one: --set \(field.joined(separator: "."))=\(want), and the "
                + "tag if it is Istio's too"
        )
    }

    /// From high to low.
    private static let images = [["unvalidatedValues", "cni", "image"], ["values", "cni", "image"]]
    private static let hubs = [
        ["unvalidatedValues", "cni", "hub"], ["values", "cni", "hub"], ["components", "cni", "hub"],
        ["unvalidatedValues", "global", "hub"], ["values", "global", "hub"], ["hub"],
    ]

    /// Whether a registry, or a reference, is one that Istio's project publishes to.
    private static func isUpstream(_ text: String) -> Bool {
        let onDockerHub = ["docker.io/", "index.docker.io/", "registry-1.docker.io/"]
        let short = onDockerHub.first { text.hasPrefix($0) }.map { String(text.dropFirst($0.count)) } ?? text
        return published.contains { short == $0 || short.hasPrefix("\($0)/") }
    }

    /// A name without a host is one of Docker Hub.
    private static let published = [
        "istio", "registry.istio.io", "gcr.io/istio-release", "gcr.io/istio-testing", "gcr.io/istio-prerelease-testing",
    ]
}
