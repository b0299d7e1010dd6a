internal import Metrics

/// What repair counts; labels are closed sets.
struct RepairMetrics: Sendable {
    private let factory: any MetricsFactory

    init(factory: any MetricsFactory) { self.factory = factory }

    enum Result: String {
        case success
        case fail
        case skip
    }

    /// Counts an attempt: upstream's `type` is `repair`, `delete` or `label`.
    func count(_ mode: RepairSettings.Mode, _ result: Result) {
        Counter(
            label: "istio_cni_repair_pods_repaired_total",
            dimensions: [("type", mode.rawValue), ("result", result.rawValue)],
            factory: factory
        ).increment()
    }

    /// Counts a pod that had been redirected, was not any more, and is again.
    func countDrift() { Counter(label: "istio_cni_drift_repaired_total", factory: factory).increment() }

    func record(_ counts: [PodState: Int], differing: Int) {
        for (state, count) in counts {
            Gauge(label: "istio_cni_pods", dimensions: [("state", state.rawValue)], factory: factory).record(count)
        }
        Gauge(label: "istio_cni_rules_differ", factory: factory).record(differing)
    }
}
