internal import Agent
package import CNIProtocol

/// The state of every node in a line each.
package struct StatusTable {
    private let answers: NodeAnswers
    private let style: TextStyle

    package init(_ answers: NodeAnswers, hasColour: Bool) {
        self.answers = answers
        style = TextStyle(hasColour: hasColour)
    }

    /// The status for scripts: 0 all ready, 1 some not, 2 a node could not be asked.
    package var exitStatus: Int32 {
        answers.isIncomplete ? 2 : answers.reports.allSatisfy { $0.report.isReady } ? 0 : 1
    }

    package var text: String {
        var table = TextTable(
            titles: [
                "NODE", "VERSION", "READY", "BACK-END", "ANNOTATIONS", "REDIRECTED", "SKIPPED", "BYPASSING", "PARTIAL",
                "UNKNOWN", "LAST REPAIR", "ADD P50", "ADD P99",
            ]
        )
        var remarks: [String] = []
        for node in answers.nodes {
            if case .none(let reason) = node.answer {
                table.add([node.name, "?", "?"] + Array(repeating: "", count: 10), style: .red)
                remarks.append("\(node.name): \(reason)")
            }
        }
        for (node, report) in answers.reports {
            let status = report.status
            let hasTrouble = !report.isReady || !report.bypassing.isEmpty
            table.add(Self.cells(node.name, report, status), style: hasTrouble ? .red : nil)
            remarks += (status["reasons"]?.strings ?? []).map { "\(node.name): not ready: \($0)" }
        }
        var lines = table.lines(style)
        if !remarks.isEmpty { lines += [""] + remarks.map { LineLogHandler.printable($0) } }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func cells(_ name: String, _ report: NodeReport, _ status: JSONValue) -> [String] {
        let counts = PodState.allCases.map { state in "\(report.pods.count { pod in pod.state == state })" }
        let passes = status["runtimePassesAnnotations"]?.bool.map { $0 ? "yes" : "no" }
        let times = status["addTimes"]
        return [
            name, status["version"]?.string ?? "?", report.isReady ? "yes" : "no", status["backend"]?.string ?? "?",
            passes ?? "?",
        ] + counts + [
            repair(status["lastRepair"]), milliseconds(times?["p50Microseconds"]),
            milliseconds(times?["p99Microseconds"]),
        ]
    }

    private static func repair(_ value: JSONValue?) -> String {
        guard let value, let pod = value["pod"]?.string, let seconds = value["secondsAgo"]?.integer else { return "" }
        return "\(pod), \(NodeReportText.age(seconds)) ago"
    }

    private static func milliseconds(_ value: JSONValue?) -> String {
        guard let microseconds = value?.integer else { return "" }
        return "\(microseconds / 1_000).\(microseconds % 1_000 / 100) ms"
    }

    /// For programs.
    package var value: JSONValue {
        .object([
            JSONMember(
                "nodes",
                .array(
                    answers.nodes.map { node in
                        var members = [
                            JSONMember("node", .string(node.name)), JSONMember("agent", .string(node.agent)),
                        ]
                        switch node.answer {
                        case .report(let report): members.append(JSONMember("status", report))
                        case .none(let reason): members.append(JSONMember("error", .string(reason)))
                        }
                        return .object(members)
                    }
                )
            )
        ])
    }
}

/// Every pod that should go through its sidecar and does not.
package struct BypassTable {
    private let answers: NodeAnswers
    private let listsPartial: Bool
    private let style: TextStyle

    /// - Parameters:
    ///   - answers: Those of `install-cni status --json`.
    ///   - listsPartial: Whether pods of which some redirection is in force count too.
    ///   - hasColour: Whether somebody looks who wants colour.
    package init(_ answers: NodeAnswers, listsPartial: Bool, hasColour: Bool) {
        self.answers = answers
        self.listsPartial = listsPartial
        style = TextStyle(hasColour: hasColour)
    }

    private typealias Row = (node: String, pod: ReportedPod)

    private func rows(_ states: [PodState]) -> [Row] {
        answers.reports.flatMap { node, report in
            report.pods.filter { pod in states.contains(pod.state) }.map { pod in (node.name, pod) }
        }
    }

    private var bypassing: [Row] { rows(listsPartial ? [.bypassing, .partial] : [.bypassing]) }

    /// The status for scripts: 0 none, 1 some, 2 nobody knows since a node could not be asked, or there is none.
    package var exitStatus: Int32 {
        !bypassing.isEmpty ? 1 : answers.isIncomplete || answers.nodes.isEmpty ? 2 : 0
    }

    package var text: String {
        var lines = bypassing.isEmpty ? [absence] : table(bypassing, style: .red)
        if !bypassing.isEmpty, silent > 0 { lines += ["", style.paint("\(ofAll) could not be asked", .red)] }
        let partial = rows([.partial]).count
        if !listsPartial, partial > 0 {
            lines += ["", "\(partial) with redirection in force in part: --partial lists them"]
        }
        let unknown = rows([.unknown])
        if !unknown.isEmpty { lines += ["", "NOT KNOWN"] + table(unknown, style: nil) }
        for node in answers.nodes {
            if case .none(let reason) = node.answer {
                lines += [style.paint("not asked: \(LineLogHandler.printable("\(node.name): \(reason)"))", .red)]
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// How many nodes did not answer.
    private var silent: Int { answers.nodes.count - answers.reports.count }

    private var ofAll: String { "\(silent) of \(answers.nodes.count) nodes" }

    /// What is known where no pod is seen to bypass: who has not answered may have one.
    private var absence: String {
        if answers.reports.isEmpty { return style.paint("no node could be asked", .red) }
        guard silent > 0 else { return style.paint("no pod is known to bypass the mesh", .green) }
        return style.paint("no pod is known to bypass the mesh, but \(ofAll) could not be asked", .red)
    }

    private func table(_ rows: [Row], style rowStyle: TextStyle.Code?) -> [String] {
        var table = TextTable(titles: ["NODE", "POD", "STATE", "SINCE", "WHY"])
        for (node, pod) in rows {
            table.add(
                [node, pod.name, pod.state.rawValue, NodeReportText.age(pod.ageSeconds), pod.reason],
                style: rowStyle
            )
        }
        return table.lines(style)
    }

    /// For programs.
    package var value: JSONValue {
        func list(_ rows: [Row]) -> JSONValue {
            .array(rows.map { node, pod in .object([JSONMember("node", .string(node))] + (pod.value.members ?? [])) })
        }
        let missing = answers.nodes.compactMap { node -> JSONValue? in
            guard case .none(let reason) = node.answer else { return nil }
            return .strings([("node", node.name), ("error", reason)])
        }
        return .object([
            JSONMember("bypassing", list(rows([.bypassing]))), JSONMember("partial", list(rows([.partial]))),
            JSONMember("unknown", list(rows([.unknown]))), JSONMember("notAsked", .array(missing)),
        ])
    }
}
