import Testing

/// The text format of Prometheus, read strictly: a sample belongs to the family above it, no series comes twice, and
/// the buckets of a histogram rise to its count.
struct PrometheusText {
    struct Family {
        var kind: String
        var samples: [String: Double] = [:]
    }

    struct Failure: Error { let line: String }

    private(set) var families: [String: Family] = [:]

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Failure(line: "no line feed at the end") }
        var help: String?
        var name = ""
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(separator: " ", maxSplits: 3)
            if line.hasPrefix("# HELP "), words.count == 4 {
                help = String(words[2])
            } else if line.hasPrefix("# TYPE "), words.count == 4, help == String(words[2]) {
                name = String(words[2])
                guard families[name] == nil, ["counter", "gauge", "histogram"].contains(words[3]) else {
                    throw Failure(line: String(line))
                }
                families[name] = Family(kind: String(words[3]))
            } else {
                try add(line, to: name)
            }
        }
        for (name, family) in families where family.kind == "histogram" { try check(name, family) }
    }

    subscript(series: String) -> Double? {
        families.values.compactMap { family in family.samples[series] }.first
    }

    private mutating func add(_ line: Substring, to name: String) throws {
        let shape = /([a-zA-Z_:][a-zA-Z0-9_:]*)((?:\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)+\})?) (\S+)/
        guard let match = line.wholeMatch(of: shape), var family = families[name] else {
            throw Failure(line: String(line))
        }
        let suffixes = family.kind == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        let series = String(match.1 + match.2)
        guard
            suffixes.contains(where: { suffix in match.1 == name + suffix }), family.samples[series] == nil,
            let value = Double(match.3 == "+Inf" ? "inf" : match.3)
        else { throw Failure(line: String(line)) }
        family.samples[series] = value
        families[name] = family
    }

    private func check(_ name: String, _ family: Family) throws {
        for (series, count) in family.samples where series.hasPrefix("\(name)_count") {
            let labels = series.dropFirst("\(name)_count".count).filter { character in !"{}".contains(character) }
            let buckets = family.samples.filter { bucket in bucket.key.hasPrefix("\(name)_bucket{\(labels)") }
            let values = buckets.map { bucket in (Self.bound(bucket.key), bucket.value) }.sorted { $0.0 < $1.0 }
            guard
                values.last?.0 == .infinity, values.last?.1 == count,
                zip(values, values.dropFirst()).allSatisfy({ left, right in left.1 <= right.1 })
            else { throw Failure(line: series) }
        }
    }

    private static func bound(_ series: String) -> Double {
        let text = series.matches(of: /le="([^"]*)"/).last.map { match in String(match.1) } ?? ""
        return Double(text == "+Inf" ? "inf" : text) ?? .nan
    }
}
