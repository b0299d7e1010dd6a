import Foundation
import Testing

@testable import Agent

/// The alerts and the dashboard ask for series that the agent has.
///
/// That promtool takes them shows scripts/check-monitoring.
@Suite struct MonitoringTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

    @Test(arguments: ["monitoring/alerts.yaml", "monitoring/alerts-test.yaml", "monitoring/dashboard.json"])
    func `every metric is one of the agent's, with labels and values that it has`(path: String) throws {
        let text = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
            .replacing("\\\"", with: "\"")
        let series = /\b((?:istio_cni|controller)_[a-z_]+)(?:\{([^}]*)\})?/

        let found = text.matches(of: series)

        #expect(found.count >= 10)
        for match in found {
            let metric = try #require(Self.metric(String(match.1)), "\(path): \(match.1) is no metric of the agent")
            for label in String(match.2 ?? "").matches(of: /([a-z_]+)\s*=~?\s*"([^"]*)"/) {
                try Self.expect(metric, String(label.1), String(label.2), path)
            }
        }
    }

    @Test func `an alert leads to a page that is there`() throws {
        let text = try String(contentsOf: Self.root.appending(path: "monitoring/alerts.yaml"), encoding: .utf8)

        let runbooks = text.matches(of: /runbook: (docs\/[a-z]+\.md)(?:#([a-z0-9-]+))?/)

        #expect(runbooks.count == text.matches(of: /- alert:/).count)
        for runbook in runbooks {
            let page = try String(contentsOf: Self.root.appending(path: String(runbook.1)), encoding: .utf8)
            guard let anchor = runbook.2.map(String.init) else { continue }
            let headings = page.split(separator: "\n").filter { $0.hasPrefix("#") }.map(Self.anchor)
            #expect(headings.contains(anchor), "\(runbook.1) has no heading for #\(anchor)")
        }
    }

    /// Labels that Prometheus itself puts on, or `histogram_quantile` needs.
    private static let othersLabels: Set<String> = ["instance", "job", "le"]

    private static func metric(_ name: String) -> AgentMetric? {
        if let metric = AgentMetric(rawValue: name) { return metric }
        let suffix = ["_bucket", "_sum", "_count"].first { name.hasSuffix($0) }
        return suffix.flatMap { AgentMetric(rawValue: String(name.dropLast($0.count))) }
    }

    private static func expect(_ metric: AgentMetric, _ name: String, _ value: String, _ path: String) throws {
        guard !othersLabels.contains(name) else { return }
        let label = try #require(
            metric.labels.first { $0.name == name },
            "\(path): \(metric.rawValue) has no label \(name)"
        )
        for value in value.split(separator: "|") {
            #expect(label.values.contains(String(value)), "\(path): \(metric.rawValue){\(name)=\(value)}")
        }
    }

    /// As GitHub makes it of a heading.
    private static func anchor(_ heading: Substring) -> String {
        heading.drop { $0 == "#" || $0 == " " }.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
            .replacing(" ", with: "-")
    }
}
