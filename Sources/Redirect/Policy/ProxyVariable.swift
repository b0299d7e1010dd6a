/// An environment variable of the container `istio-proxy` that has a say in redirection.
///
/// Each is a boolean, and false where it is absent. Only literal values count: one that comes from elsewhere
/// (`valueFrom`, `envFrom`) is not known when the pod starts.
package enum ProxyVariable: String, CaseIterable, Sendable {
    case disableEnvoy = "DISABLE_ENVOY"
    case dnsCapture = "ISTIO_META_DNS_CAPTURE"
    case dualStack = "ISTIO_DUAL_STACK"
    case invalidDrop = "INVALID_DROP"

    package var name: String { rawValue }

    /// What `true` does.
    package var effect: String {
        switch self {
        case .disableEnvoy: "Skips the pod: its application speaks to the mesh without a proxy"
        case .dnsCapture: "Redirects DNS, TCP and UDP port 53, to the proxy, whatever the server"
        case .dualStack: "Redirects IPv6 of a pod that has an IPv4 address too. A pod with IPv6 only needs no variable"
        case .invalidDrop: "Drops arriving packets that belong to no connection (`ctstate INVALID`)"
        }
    }

    /// What a value that is no boolean does.
    package var effectOfOtherValues: String {
        switch self {
        case .disableEnvoy: "Counts as false"
        case .dnsCapture, .dualStack, .invalidDrop: "Counts as false, with a warning"
        }
    }
}
