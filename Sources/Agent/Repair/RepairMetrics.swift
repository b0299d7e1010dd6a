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
            label: AgentMetric.podsRepaired.name,
            dimensions: [("type", mode.rawValue), ("result", result.rawValue)],
            factory: factory
        ).increment()
    }

    /// Counts a pod that had been redirected, was not any more, and is again.
    func countDrift() { Counter(label: AgentMetric.driftRepaired.name, factory: factory).increment() }

    /// Says how many pods have other rules in force than those of their plan.
    func record(differing: Int) { Gauge(label: AgentMetric.rulesDiffer.name, factory: factory).record(differing) }
}
