package import Metrics

/// Keeps every metric of the agent, for Prometheus.
///
/// All series are there from the start, so looking one up takes no lock, and nothing that comes from outside can make
/// a new one.
package final class MetricsRegistry: MetricsFactory {
    private let series: [Key: MetricSeries]

    /// In the order of ``AgentMetric`` and of its label values.
    private let families: [(metric: AgentMetric, series: [MetricSeries])]
    private let refused: MetricSeries

    private struct Key: Hashable {
        let name: String

        /// In the order of their names.
        let labels: [String]

        init(_ name: String, _ labels: [(String, String)]) {
            self.name = name
            self.labels = labels.sorted { left, right in left.0 < right.0 }.flatMap { name, value in [name, value] }
        }
    }

    package init() {
        let refused = MetricSeries(.refusedSamples, labels: [])
        var series: [Key: MetricSeries] = [:]
        var families: [(AgentMetric, [MetricSeries])] = []
        for metric in AgentMetric.allCases {
            let all = metric.combinations.map { labels in
                metric == .refusedSamples ? refused : MetricSeries(metric, labels: labels)
            }
            for one in all { series[Key(metric.name, one.labels.map { label in (label.name, label.value) })] = one }
            families.append((metric, all))
        }
        self.refused = refused
        self.series = series
        self.families = families
    }

    /// Everything as Prometheus reads it (text format, version 0.0.4).
    package func text() -> String {
        var text = MetricsText()
        for family in families { text.add(family.metric, family.series) }
        return text.text
    }

    private func find(_ label: String, _ dimensions: [(String, String)]) -> MetricSeries? {
        let found = series[Key(label, dimensions)]
        if found == nil { refused.increment(by: Int64(1)) }
        return found
    }
}

// MARK: - As swift-metrics asks for handlers

extension MetricsRegistry {
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    package func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        find(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        find(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    package func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        find(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    // The series stay: a metric that is made again goes on where it was.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}
