internal import Agent
package import CNIProtocol

/// What `install-cni doctor` found on every node: the same finding on several nodes is told once.
package struct DoctorTable {
    private let answers: NodeAnswers
    private let style: TextStyle

    package init(_ answers: NodeAnswers, hasColour: Bool) {
        self.answers = answers
        style = TextStyle(hasColour: hasColour)
    }

    private struct Finding: Hashable {
        let verdict: String
        let subject: String
        let text: String
        let remedy: String

        init(_ value: JSONValue) {
            verdict = value["verdict"]?.string ?? "?"
            subject = value["subject"]?.string ?? value["id"]?.string ?? "?"
            text = value["text"]?.string ?? ""
            remedy = value["remedy"]?.string ?? ""
        }
    }

    private static func findings(_ value: JSONValue) -> [JSONValue] { value["findings"]?.array ?? value.array ?? [] }

    /// Findings in the order in which they were first seen, each with its nodes.
    private var grouped: [(finding: Finding, nodes: [String])] {
        var order: [Finding] = []
        var nodes: [Finding: [String]] = [:]
        for node in answers.nodes {
            guard case .report(let value) = node.answer else { continue }
            for finding in Self.findings(value).map({ Finding($0) }) {
                if nodes[finding] == nil { order.append(finding) }
                nodes[finding, default: []].append(node.name)
            }
        }
        return order.map { finding in (finding, nodes[finding] ?? []) }
    }

    /// 0: all is good; 1: something is not; 2: a node could not be asked.
    package var exitStatus: Int32 {
        grouped.contains { $0.finding.verdict == "bad" } ? 1 : answers.isIncomplete ? 2 : 0
    }

    package var text: String {
        let all = answers.nodes.count
        var table = TextTable(titles: ["", "WHAT", "NODES", "SEEN"])
        for (finding, nodes) in grouped {
            let names =
                nodes.count == all ? "all \(all)" : nodes.count > 3 ? "\(nodes.count)" : nodes.joined(separator: ", ")
            let seen = finding.remedy.isEmpty ? finding.text : "\(finding.text); \(finding.remedy)"
            table.add(
                [finding.verdict, finding.subject, names, seen],
                style: finding.verdict == "bad" ? .red : finding.verdict == "ok" ? .green : nil
            )
        }
        var lines = table.lines(style)
        for node in answers.nodes {
            if case .none(let reason) = node.answer {
                lines.append(style.paint("not asked: \(LineLogHandler.printable("\(node.name): \(reason)"))", .red))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// For programs.
    package var value: JSONValue {
        .object([
            JSONMember(
                "nodes",
                .array(
                    answers.nodes.map { node in
                        let name = JSONMember("node", .string(node.name))
                        return switch node.answer {
                        case .report(let value): .object([name, JSONMember("findings", .array(Self.findings(value)))])
                        case .none(let reason): .object([name, JSONMember("error", .string(reason))])
                        }
                    }
                )
            )
        ])
    }
}
