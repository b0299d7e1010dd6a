/// Metrics as Prometheus reads them (text format, version 0.0.4).
struct MetricsText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    mutating func add(_ metric: AgentMetric, _ series: [MetricSeries]) {
        begin(metric.name, kind: metric.kind.word, help: metric.help)
        for one in series {
            switch one.current {
            case .value(nil): continue
            case .value(let value?): add(metric.name, one.labels, value)
            case .histogram(let histogram): add(metric.name, one.labels, histogram)
            }
        }
    }

    mutating func add(_ statistics: ProcessStatistics) {
        for (name, kind, help, value) in statistics.metrics {
            begin(name, kind: kind, help: help)
            add(name, [], value)
        }
    }

    private mutating func begin(_ name: String, kind: String, help: String) {
        text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind)\n"
    }

    private mutating func add(_ name: String, _ labels: [(name: String, value: String)], _ value: Double) {
        let inside = labels.map { label in "\(label.name)=\"\(Self.escaped(label.value, quotes: true))\"" }
        text += inside.isEmpty ? name : "\(name){\(inside.joined(separator: ","))}"
        text += " \(Self.number(value))\n"
    }

    private mutating func add(_ name: String, _ labels: [(name: String, value: String)], _ histogram: Histogram) {
        var total = 0
        for (index, count) in histogram.counts.enumerated() {
            total += count
            let bound = index < histogram.bounds.count ? histogram.bounds[index] : .infinity
            add("\(name)_bucket", labels + [("le", Self.number(bound))], Double(total))
        }
        add("\(name)_sum", labels, histogram.sum)
        add("\(name)_count", labels, Double(total))
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        guard value.isFinite else { return value < 0 ? "-Inf" : "+Inf" }
        // Without a fraction, as everybody writes buckets and counts.
        return Int(exactly: value).map { whole in "\(whole)" } ?? "\(value)"
    }

    static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
