package import CNIProtocol

/// Whether a node has what the agent needs, and what to do where it has not.
package struct DoctorReport: Equatable, Sendable {
    package let findings: [Finding]

    package struct Finding: Hashable, Sendable {
        /// One of ``FindingKind``, or one that a newer agent knows.
        package let id: String
        package let verdict: Verdict
        package let subject: String

        /// What was seen: file, key, value.
        package let text: String

        /// What to do, or "" where there is nothing to do.
        package let remedy: String
    }

    package enum Verdict: String, Sendable {
        case good = "ok"

        /// Works, and not as well as it could.
        case doubtful = "note"
        case bad
    }

    package var isGood: Bool { !findings.contains { finding in finding.verdict == .bad } }

    /// Looks at the node that this process runs on.
    ///
    /// - Parameters:
    ///   - arguments: What was typed, which wins.
    ///   - environment: All of it, as the agent's own.
    package init(arguments: [AgentSetting: String] = [:], environment: [String: String]) {
        do throws(AgentConfiguration.Failure) {
            let configuration = try AgentConfiguration(arguments: arguments, environment: environment)
            self.init(DoctorFacts(DoctorPlaces(configuration), settingProblems: []))
        } catch {
            let problems = error.problems
            // The rest can be looked at all the same, at the usual places.
            do throws(AgentConfiguration.Failure) {
                let usual = try AgentConfiguration(environment: ["POD_SOURCE": "directory:/"])
                self.init(DoctorFacts(DoctorPlaces(usual), settingProblems: problems))
            } catch {
                preconditionFailure("the defaults can be followed")
            }
        }
    }

    init(_ facts: DoctorFacts) { findings = facts.findings }

    // MARK: - For programs

    /// `{"findings":[{"id","verdict","subject","text","remedy"}]}`.
    package var value: JSONValue {
        let list = findings.map { finding in
            JSONValue.object([
                JSONMember("id", .string(finding.id)),
                JSONMember("verdict", .string(finding.verdict.rawValue)),
                JSONMember("subject", .string(finding.subject)),
                JSONMember("text", .string(finding.text)),
                JSONMember("remedy", .string(finding.remedy)),
            ])
        }
        return .object([JSONMember("findings", .array(list))])
    }

    /// Reads what ``value`` wrote, perhaps in another version: ids and members that are not known are taken as they are.
    ///
    /// - Throws: What is not as it must be.
    package init(_ value: JSONValue) throws(DecodingFailure) {
        guard let list = value["findings"]?.array else {
            throw DecodingFailure(description: "a report of doctor has no array `findings`")
        }
        var findings: [Finding] = []
        for (index, element) in list.enumerated() {
            guard let id = element["id"]?.string, let verdict = element["verdict"]?.string.flatMap(Verdict.init),
                let subject = element["subject"]?.string, let text = element["text"]?.string,
                let remedy = element["remedy"]?.string
            else {
                throw DecodingFailure(
                    description: "findings[\(index)] of a report of doctor lacks id, verdict, subject, text or remedy"
                )
            }
            findings.append(Finding(id: id, verdict: verdict, subject: subject, text: text, remedy: remedy))
        }
        self.findings = findings
    }

    package struct DecodingFailure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    // MARK: - For people

    /// What is bad comes first, with what to do below it.
    package func text(hasColour: Bool) -> String {
        let style = TextStyle(hasColour: hasColour)
        let ordered = [Verdict.bad, .doubtful, .good].flatMap { verdict in
            findings.filter { finding in finding.verdict == verdict }
        }
        let width = findings.map { finding in finding.id.count }.max() ?? 0
        var text = ""
        for finding in ordered {
            let verdict = Self.padded(finding.verdict.rawValue, 6)
            let head = verdict + Self.padded(LineLogHandler.printable(finding.id), width + 2)
            text += (finding.verdict.style.map { code in style.paint(head, code) } ?? head)
            text += "\(LineLogHandler.printable(finding.text))\n"
            if !finding.remedy.isEmpty, finding.verdict != .good {
                text += "\(Self.padded("", 6))do: \(LineLogHandler.printable(finding.remedy))\n"
            }
        }
        return text
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension DoctorReport.Verdict {
    /// As what it is painted; nil: not at all.
    package var style: TextStyle.Code? {
        switch self {
        case .good: .green
        case .doubtful: nil
        case .bad: .red
        }
    }
}
