internal import Agent

/// A report for people: a table, with colour where that is wanted.
package struct TryTable {
    package let report: TryReport
    private let style: TextStyle

    package init(_ report: TryReport, hasColour: Bool) {
        self.report = report
        style = TextStyle(hasColour: hasColour)
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
        if let failure = report.failure { lines.append(style.paint("failed       \(failure)", .red)) }
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
        return [
            style.paint(words.filter { !$0.isEmpty }.joined(separator: "  "), .bold), "users        \(report.users)",
        ]
            + sidecar
    }

    private func counterLine(_ counter: TryReport.Counter) -> String {
        let expected = counter.isAsPlanned ? "" : style.paint(", and there were \(counter.expected)", .red)
        return "envoy        \(mark(counter.isAsPlanned)) \(counter.name): \(counter.value)\(expected)"
    }

    private var table: [String] {
        var table = TextTable(titles: ["", "WHAT", "FROM", "TO", "LANDED", "DECIDED BY"])
        for connection in report.connections {
            let mark = connection.notTried == nil ? plainMark(connection.isAsPlanned) : "-"
            // The sidecar's connections stand out.
            let isSidecars = connection.expected.hasPrefix("sidecar")
            table.add(
                [
                    mark, connection.title, connection.from, "\(connection.transport) \(connection.to)",
                    connection.landed ?? "not tried", connection.rule ?? "no rule",
                ],
                style: !connection.isAsPlanned ? .red : isSidecars ? .green : nil
            )
        }
        let lines = table.lines(style)
        return lines.prefix(1)
            + zip(lines.dropFirst(), report.connections).flatMap { line, connection in [line] + remarks(connection) }
    }

    private func remarks(_ connection: TryReport.Connection) -> [String] {
        var remarks: [String] = []
        if !connection.isAsPlanned {
            remarks.append(style.paint("     the plan says: \(connection.expected)", .red))
        }
        if let remark = connection.remark { remarks.append("     \(remark)") }
        if let reason = connection.notTried { remarks.append("     not tried: \(reason)") }
        return remarks
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
        if tried.isEmpty, report.failure != nil { return style.paint("no connection was tried", .red) }
        let text = "\(landed) of \(tried.count) connections landed as planned"
        return style.paint(text, report.isAsPlanned ? .green : .red)
    }

    private func plainMark(_ isGood: Bool) -> String { isGood ? "ok" : "WRONG" }

    private func mark(_ isGood: Bool) -> String { style.paint(plainMark(isGood), isGood ? .green : .red) }
}
