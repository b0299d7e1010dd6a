internal import Agent
package import CNIProtocol

/// What `install-cni doctor` found on every node: the same finding on several nodes is told once.
package struct DoctorTable {
    private let nodes: [(name: String, answer: Answer)]
    private let style: TextStyle

    private enum Answer {
        case report(DoctorReport)

        /// Why there is none.
        case none(String)

        init(_ answer: NodeAnswers.Answer) {
            switch answer {
            case .none(let reason): self = .none(reason)
            case .report(let value):
                do throws(DoctorReport.DecodingFailure) {
                    self = .report(try DoctorReport(value))
                } catch {
                    self = .none(error.description)
                }
            }
        }
    }

    package init(_ answers: NodeAnswers, hasColour: Bool) {
        nodes = answers.nodes.map { node in (node.name, Answer(node.answer)) }
        style = TextStyle(hasColour: hasColour)
    }

    /// Findings in the order in which they were first seen, each with its nodes.
    private var grouped: [(finding: DoctorReport.Finding, nodes: [String])] {
        var order: [DoctorReport.Finding] = []
        var names: [DoctorReport.Finding: [String]] = [:]
        for case (let name, .report(let report)) in nodes {
            for finding in report.findings {
                if names[finding] == nil { order.append(finding) }
                names[finding, default: []].append(name)
            }
        }
        return order.map { finding in (finding, names[finding] ?? []) }
    }

    /// The nodes that have not said anything, and why.
    private var silent: [(name: String, reason: String)] {
        nodes.compactMap { node in
            if case .none(let reason) = node.answer { (node.name, reason) } else { nil }
        }
    }

    /// 0: all is good; 1: something is not; 2: a node could not be asked.
    package var exitStatus: Int32 {
        grouped.contains { $0.finding.verdict == .bad } ? 1 : silent.isEmpty ? 0 : 2
    }

    package var text: String {
        let all = nodes.count
        var table = TextTable(titles: ["", "WHAT", "NODES", "SEEN"])
        for (finding, names) in grouped {
            let places =
                names.count == all ? "all \(all)" : names.count > 3 ? "\(names.count)" : names.joined(separator: ", ")
            let seen =
                finding.verdict == .good || finding.remedy.isEmpty ? finding.text : "\(finding.text); \(finding.remedy)"
            table.add([finding.verdict.rawValue, finding.id, places, seen], style: finding.verdict.style)
        }
        let remarks = silent.map { name, reason in
            style.paint("not asked: \(LineLogHandler.printable("\(name): \(reason)"))", .red)
        }
        return (table.lines(style) + remarks).joined(separator: "\n") + "\n"
    }

    /// For programs.
    package var value: JSONValue {
        let list = nodes.map { name, answer in
            let member =
                switch answer {
                case .report(let report): JSONMember("findings", report.value["findings"] ?? .array([]))
                case .none(let reason): JSONMember("error", .string(reason))
                }
            return JSONValue.object([JSONMember("node", .string(name)), member])
        }
        return .object([JSONMember("nodes", .array(list))])
    }
}
