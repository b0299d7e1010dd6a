internal import AgentProtocol

/// A metric of the agent.
///
/// There is no other definition of any of them, and no other is exported. Labels are closed sets, so the number of
/// series is known when the agent starts, whatever pods come and go.
package enum AgentMetric: String, CaseIterable, Sendable {
    case addTotal = "istio_cni_add_total"
    case addDuration = "istio_cni_add_duration_seconds"
    case pluginRequests = "istio_cni_plugin_requests_total"
    case annotationsSupported = "istio_cni_annotations_supported"
    case pods = "istio_cni_pods"
    case driftRepaired = "istio_cni_drift_repaired_total"
    case rulesDiffer = "istio_cni_rules_differ"
    case podsRepaired = "istio_cni_repair_pods_repaired_total"
    case installs = "istio_cni_installs_total"
    case installReady = "istio_cni_install_ready"
    case configurationRewrites = "istio_cni_config_rewrites_total"
    case watchRestarts = "istio_cni_watch_restarts_total"
    case syncErrors = "controller_sync_errors_total"
    case refusedSamples = "istio_cni_metrics_refused_total"

    package var name: String { rawValue }

    package enum Kind: Equatable, Sendable {
        case counter
        case gauge

        /// The upper bounds of its buckets, rising.
        case histogram([Double])

        /// As Prometheus writes it.
        package var word: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    package var kind: Kind {
        switch self {
        case .addDuration: .histogram(Self.durations)
        case .annotationsSupported, .pods, .rulesDiffer, .installReady: .gauge
        default: .counter
        }
    }

    /// In seconds: an ADD takes a few milliseconds, and with all its waiting the budget of 20 s.
    private static let durations = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30,
    ]

    /// What it counts, in one line.
    package var help: String {
        switch self {
        case .addTotal: "ADDs by how they ended, as the plugin reported them."
        case .addDuration: "Time of each phase of an ADD in the plugin."
        case .pluginRequests: "Requests of plugins for a pod, by the status of the answer."
        case .annotationsSupported: "Whether the container runtime hands pod annotations to plugins (1) or not (0)."
        case .pods: "Pods of this node by the state of their redirection."
        case .driftRepaired: "Pods whose redirection was gone while they ran, and was put back."
        case .rulesDiffer: "Pods that run with other rules than their plan; they are left alone."
        case .podsRepaired: "Attempts to repair a pod, by mode and result."
        case .installs: "Passes of installation by result."
        case .installReady: "Whether plugin and configuration are in place on the node."
        case .configurationRewrites: "Times that the CNI configuration was put right after somebody had changed it."
        case .watchRestarts: "Times that the watch of the pods had to be begun again."
        case .syncErrors: "Errors of the watch of the pods."
        case .refusedSamples: "Samples left out because no such metric or label value is defined: a bug."
        }
    }

    package struct Label: Equatable, Sendable {
        package let name: String
        package let values: [String]
    }

    package var labels: [Label] {
        switch self {
        case .addTotal: [Label(name: "outcome", values: AddReport.Outcome.allCases.map { $0.rawValue })]
        case .addDuration: [Label(name: "phase", values: ["decode", "lookup", "apply"])]
        case .pluginRequests: [Label(name: "response_code", values: Self.responseCodes)]
        case .pods: [Label(name: "state", values: PodState.allCases.map { $0.rawValue })]
        case .podsRepaired:
            [
                Label(name: "type", values: ["delete", "repair", "label"]),
                Label(name: "result", values: ["success", "fail", "skip"]),
            ]
        case .installs: [Label(name: "result", values: Self.installResults)]
        default: []
        }
    }

    /// Every answer to `/v1/add` and `/cmdadd`.
    private static let responseCodes = ["200", "400", "404", "409", "413", "422", "426", "500", "501", "503"]

    /// Upstream's; without a kubeconfig its own failure cannot happen, but alerts name it.
    private static let installResults = [
        "SUCCESS", "COPY_BINARIES_FAILURE", "CREATE_KUBECONFIG_FAILURE", "CREATE_CNI_CONFIG_FAILURE",
    ]

    /// Whether it is exported, with 0, before anything has happened.
    ///
    /// What a runtime can do is not known before it has called, and 0 would be a claim.
    package var isThereFromTheStart: Bool { self != .annotationsSupported }

    /// Every set of label values that can be.
    var combinations: [[(name: String, value: String)]] {
        labels.reduce([[]]) { sets, label in
            sets.flatMap { set in label.values.map { value in set + [(label.name, value)] } }
        }
    }
}
