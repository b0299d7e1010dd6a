internal import CNIProtocol
internal import Redirect

/// One step of the sequence that decides about a pod, and what was found there.
package struct DecisionStep: Equatable, Sendable {
    /// What is true of the pod.
    package let statement: String

    /// Whether it ended the sequence: the pod passes.
    package let decides: Bool

    var value: JSONValue {
        .object([JSONMember("statement", .string(statement)), JSONMember("decides", .bool(decides))])
    }

    /// A step, with what is true of a pod that goes on and of one that is let go.
    private struct Kind {
        /// Nil for the pod on the host's network, for which no plugin is called.
        let reason: SkipReason?
        let goesOn: String
        let passes: String

        init(_ reason: SkipReason?, _ goesOn: String, else passes: String) {
            self.reason = reason
            self.goesOn = goesOn
            self.passes = passes
        }
    }

    /// In the order in which plugin and agent ask.
    private static let sequence = [
        Kind(nil, "has a network of its own", else: "is on the host's network"),
        Kind(.agentPod, "is another pod than the CNI node agent's", else: "is a pod of the CNI node agent itself"),
        Kind(.notKubernetes, "is a pod of Kubernetes", else: "is no pod of Kubernetes"),
        Kind(.namespaceExcluded, "is in a namespace that the agent serves", else: "is in an excluded namespace"),
        Kind(
            .initContainer,
            "leaves redirection to the plugin (no container istio-init)",
            else: "has a container istio-init, which redirects by itself"
        ),
        Kind(.noProxyContainer, "has a container istio-proxy", else: "has no container istio-proxy"),
        Kind(.proxyless, "uses its proxy (DISABLE_ENVOY is not true)", else: "DISABLE_ENVOY is true"),
        Kind(.notSidecar, "its proxy is a sidecar", else: "its proxy is a gateway or a waypoint, no sidecar"),
        Kind(
            .injectionDisabled,
            "is meant to have a sidecar (sidecar.istio.io/inject is not false)",
            else: "sidecar.istio.io/inject is false"
        ),
        Kind(
            .notInjected,
            "was injected (sidecar.istio.io/status is there)",
            else: "sidecar.istio.io/status is absent"
        ),
        Kind(
            .interceptionModeNone,
            "its interception mode is REDIRECT or TPROXY",
            else: "sidecar.istio.io/interceptionMode is NONE"
        ),
    ]

    static func taken(until outcome: ExplainedPod.Outcome) -> [DecisionStep] {
        var taken: [DecisionStep] = []
        for kind in sequence {
            let decides =
                switch outcome {
                case .onHostNetwork: kind.reason == nil
                case .skip(let found): kind.reason == found
                case .redirect: false
                }
            taken.append(DecisionStep(statement: decides ? kind.passes : kind.goesOn, decides: decides))
            if decides { break }
        }
        return taken
    }
}
