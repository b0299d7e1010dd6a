internal import CNIProtocol

/// What the API server says of itself, as far as it decides settings.
package struct ServerVersion: Equatable, Sendable {
    /// `v1.32.4-gke.1234000`.
    package let text: String

    package init(_ text: String) { self.text = text }

    /// Google's own clusters have another directory of plugins, and a limit on critical pods.
    package var isGKE: Bool { text.contains("-gke") }

    /// What lies between the profile and the documents: on GKE the agent belongs into `kube-system`, unless somebody says otherwise.
    var spec: JSONValue {
        guard isGKE else { return .object([]) }
        return JSONValue.object([])
            .setting(path: ["components", "cni", "namespace"], .string("kube-system"))
            .setting(path: ["values", "global", "platform"], .string("gke"))
            // The chart would guess it from the server's version, which a rendering without a cluster does not know.
            .setting(path: ["values", "cni", "cniBinDir"], .string("/home/kubernetes/bin"))
    }
}
