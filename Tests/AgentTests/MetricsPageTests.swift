import Foundation
import TestSupport
import Testing

@testable import Agent

/// docs/metrics.md is made from the definitions in the source, and from nothing else.
@Suite struct MetricsPageTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

    @Test func `docs/metrics.md is what the source says`() throws {
        try expectGolden(Self.page, in: Self.root.appending(path: "docs/metrics.md"))
    }

    /// A metric that is made and not defined would never be seen.
    @Test func `every metric that the agent makes is defined`() throws {
        let folder = Self.root.appending(path: "Sources")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path(percentEncoded: false))
        let shape = /(?:Counter|Gauge|Meter|Recorder|Timer)\(\s*label:\s*"([^"]*)"/
        var found: Set<String> = []
        for file in files where file.hasSuffix(".swift") {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            for match in text.matches(of: shape) {
                #expect(AgentMetric(rawValue: String(match.1)) != nil, "\(file): \(match.1)")
                found.insert(String(match.1))
            }
        }

        #expect(found.contains("istio_cni_add_total"))
    }

    static let page = """
        # Metrics

        Made from `Sources/Agent/Observe/AgentMetric.swift`. Change that, then write this page:
        `UPDATE_GOLDEN=1 swift test --filter MetricsPageTests`.

        `GET /metrics` on port 15014 (`MONITORING_PORT`), text format 0.0.4. Names and labels of upstream's metrics are
        kept, but for one label (see below). Every series is there from the start, with 0, unless the page says otherwise; a label has the values that
        stand here and no others.

        | Metric | Type | Labels | What it is |
        |---|---|---|---|
        \(AgentMetric.allCases.map(row).joined(separator: "\n"))

        Upstream's `controller_sync_errors_total` has a label `cluster` too; the agent of a node knows one cluster only.

        `istio_cni_annotations_supported` appears with the first ADD that tells.

        Of the process, as every client of Prometheus has them: `process_resident_memory_bytes`,
        `process_virtual_memory_bytes`, `process_cpu_seconds_total`, `process_open_fds`, `process_max_fds`,
        `process_start_time_seconds`.

        Not here until ambient mode is: `nodeagent_reconcile_events_total`, `ztunnel_connected`.

        ## Alerts and a dashboard

        [monitoring/alerts.yaml](../monitoring/alerts.yaml) are alerts for Prometheus, each with the page that says what
        to do; [monitoring/dashboard.json](../monitoring/dashboard.json) is a dashboard for Grafana.

        """

    private static func row(_ metric: AgentMetric) -> String {
        let labels = metric.labels.map { label in
            "`\(label.name)`: \(label.values.map { value in "`\(value)`" }.joined(separator: ", "))"
        }
        let cell = labels.isEmpty ? "—" : labels.joined(separator: "; ")
        return "| `\(metric.name)` | \(metric.kind.word) | \(cell) | \(metric.help) |"
    }
}
