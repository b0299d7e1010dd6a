import ArgumentParser

/// A length of time as Go writes it (`time.ParseDuration`): `5s`, `1m30s`, `1.5s`, `500ms`.
struct GoDuration: Equatable, ExpressibleByArgument {
    let milliseconds: Int

    init(milliseconds: Int) { self.milliseconds = milliseconds }

    /// Reads a length of time from nothing to a day; parts of a millisecond are dropped.
    init?(argument: String) {
        if argument == "0" {
            self.init(milliseconds: 0)
            return
        }
        guard !argument.isEmpty else { return nil }
        var rest = Substring(argument)
        var total = 0.0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { !$0.isNumber && $0 != "." }
            rest = rest.dropFirst(unit.count)
            guard let count = Double(number), let factor = Self.millisecondsOfUnit[String(unit)] else { return nil }
            total += count * factor
            guard total <= Self.longestMilliseconds else { return nil }
        }
        self.init(milliseconds: Int(total))
    }

    private static let millisecondsOfUnit: [String: Double] = [
        "ns": 1e-6, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000,
    ]

    /// Longer than any pod waits for its init containers.
    private static let longestMilliseconds = 86_400_000.0
}
