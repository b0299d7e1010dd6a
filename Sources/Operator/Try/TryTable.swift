/// A report for people: a table, with colour where that is wanted.
package struct TryTable {
    package let report: TryReport
    package let hasColour: Bool

    package init(_ report: TryReport, hasColour: Bool) {
        self.report = report
        self.hasColour = hasColour
    }

    package var text: String {
        var lines = heading + [""]
        if !report.connections.isEmpty { lines += table + [""] }
        lines += report.counters.map(counterLine)
        if let validation = report.validation {
            lines.append("validation   \(mark(validation.isPassed)) \(validation.result)")
        }
        if !report.phases.isEmpty { lines += phases }
        lines += report.notes.map { "note         \($0)" }
        lines += report.kept.flatMap(keptLines)
        if let failure = report.failure { lines.append(paint("failed       \(failure)", .red)) }
        lines.append("")
        lines.append(summary)
        return lines.joined(separator: "\n") + "\n"
    }

    private var heading: [String] {
        var words = ["\(report.pod)", report.decision]
        if let mode = report.interceptionMode { words.append(mode) }
        if let backend = report.backend { words.append(backend) }
        words += report.podAddresses
        let sidecar = report.envoy.map { ["sidecar      Envoy: \($0)"] } ?? []
        return [paint(words.filter { !$0.isEmpty }.joined(separator: "  "), .bold), "users        \(report.users)"]
            + sidecar
    }

    private func counterLine(_ counter: TryReport.Counter) -> String {
        let expected = counter.isAsPlanned ? "" : paint(", and there were \(counter.expected)", .red)
        return "envoy        \(mark(counter.isAsPlanned)) \(counter.name): \(counter.value)\(expected)"
    }

    private static let titles = ["", "WHAT", "FROM", "TO", "LANDED", "DECIDED BY"]

    private var table: [String] {
        let rows = report.connections.map { connection in
            [
                connection.notTried == nil ? plainMark(connection.isAsPlanned) : "-",
                connection.title, connection.from, "\(connection.transport) \(connection.to)",
                connection.landed ?? "not tried", connection.rule ?? "no rule",
            ]
        }
        let widths = Self.titles.indices.map { column in
            ([Self.titles] + rows).map { $0[column].count }.max() ?? 0
        }
        var lines = [paint(Self.line(Self.titles, widths), .bold)]
        for (row, connection) in zip(rows, report.connections) {
            let line = Self.line(row, widths)
            lines.append(connection.isAsPlanned ? coloured(line, connection) : paint(line, .red))
            if !connection.isAsPlanned { lines.append(paint("     the plan says: \(connection.expected)", .red)) }
            if let remark = connection.remark { lines.append("     \(remark)") }
            if let reason = connection.notTried { lines.append("     not tried: \(reason)") }
        }
        return lines
    }

    private static func line(_ cells: [String], _ widths: [Int]) -> String {
        var text = ""
        for (cell, width) in zip(cells, widths) {
            text += cell + String(repeating: " ", count: width - cell.count + 2)
        }
        while text.last == " " { text.removeLast() }
        return text
    }

    /// The sidecar's connections stand out.
    private func coloured(_ line: String, _ connection: TryReport.Connection) -> String {
        connection.expected.hasPrefix("sidecar") ? paint(line, .green) : line
    }

    private var phases: [String] {
        let longest = report.phases.map(\.name.count).max() ?? 0
        return report.phases.map { phase in
            let name = phase.name + String(repeating: " ", count: longest - phase.name.count)
            return "time         \(name)  \(Self.milliseconds(phase.microseconds))"
        }
    }

    static func milliseconds(_ microseconds: Int) -> String {
        "\(microseconds / 1_000).\(microseconds % 1_000 / 100) ms"
    }

    private func keptLines(_ kept: TryReport.KeptNamespaces) -> [String] {
        let user = kept.hasUserNamespace ? " --user --preserve-credentials" : ""
        let enter = "nsenter --target \(kept.process)\(user) --mount --net"
        return [
            "kept         namespaces of process \(kept.process) (\(kept.users))",
            "             host: \(enter)",
            "             pod:  \(enter) nsenter --net=\(Self.podPath)",
            "             remove everything: kill \(kept.process)",
        ]
    }

    private static let podPath = "/run/netns/pod"

    private var summary: String {
        let tried = report.connections.filter { $0.notTried == nil }
        let landed = tried.filter(\.isAsPlanned).count
        let text = "\(landed) of \(tried.count) connections landed as planned"
        return paint(text, report.isAsPlanned ? .green : .red)
    }

    private func plainMark(_ isGood: Bool) -> String { isGood ? "ok" : "WRONG" }

    private func mark(_ isGood: Bool) -> String { paint(plainMark(isGood), isGood ? .green : .red) }

    /// Select Graphic Rendition (ECMA-48, 8.3.117).
    private enum Style: String {
        case bold = "1"
        case red = "31"
        case green = "32"
    }

    private func paint(_ text: String, _ style: Style) -> String {
        hasColour ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }
}
