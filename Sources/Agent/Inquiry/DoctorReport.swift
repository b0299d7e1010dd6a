package import CNIProtocol

/// Whether a node has what the agent needs, and what to do where it has not.
package struct DoctorReport: Equatable, Sendable {
    package let findings: [Finding]

    package struct Finding: Equatable, Sendable {
        package let verdict: Verdict
        package let subject: String

        /// What was seen, and what to do about it.
        package let text: String
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
            self.init(DoctorFacts(configuration, settingProblems: []))
        } catch {
            let problems = error.problems
            // The rest can be looked at all the same, at the usual places.
            do throws(AgentConfiguration.Failure) {
                let usual = try AgentConfiguration(environment: ["POD_SOURCE": "directory:/"])
                self.init(DoctorFacts(usual, settingProblems: problems))
            } catch {
                preconditionFailure("the defaults can be followed")
            }
        }
    }

    init(_ facts: DoctorFacts) {
        findings =
            [facts.settings, facts.agentFinding, facts.annotations, facts.kernel, facts.configuration, facts.plugin]
            + [facts.rights, facts.processes].compactMap { finding in finding }
    }

    /// For programs.
    package var value: JSONValue {
        .array(
            findings.map { finding in
                .object([
                    JSONMember("verdict", .string(finding.verdict.rawValue)),
                    JSONMember("subject", .string(finding.subject)),
                    JSONMember("text", .string(finding.text)),
                ])
            }
        )
    }

    /// For people.
    package func text(hasColour: Bool) -> String {
        var table = TextTable(titles: ["", "WHAT", "SEEN"])
        for finding in findings {
            table.add([finding.verdict.rawValue, finding.subject, finding.text], style: finding.verdict.style)
        }
        return table.lines(TextStyle(hasColour: hasColour)).joined(separator: "\n") + "\n"
    }
}

extension DoctorReport.Verdict {
    fileprivate var style: TextStyle.Code? {
        switch self {
        case .good: .green
        case .doubtful: nil
        case .bad: .red
        }
    }
}

// MARK: - What each fact means

extension DoctorFacts {
    private typealias Finding = DoctorReport.Finding

    fileprivate var settings: DoctorReport.Finding {
        settingProblems.isEmpty
            ? Finding(verdict: .good, subject: "settings", text: "all can be followed")
            : Finding(verdict: .bad, subject: "settings", text: settingProblems.joined(separator: "; "))
    }

    fileprivate var agentFinding: DoctorReport.Finding {
        switch agent {
        case .away(let reason): Finding(verdict: .bad, subject: "agent", text: reason)
        case .answers([], _): Finding(verdict: .good, subject: "agent", text: "answers, and is ready")
        case .answers(let reasons, _):
            Finding(verdict: .bad, subject: "agent", text: "not ready: \(reasons.joined(separator: "; "))")
        }
    }

    fileprivate var annotations: DoctorReport.Finding {
        guard case .answers(_, let passesAnnotations?) = agent else {
            let text = "not known before the runtime has started a pod of the mesh"
            return Finding(verdict: .doubtful, subject: "runtime", text: text)
        }
        return passesAnnotations
            ? Finding(verdict: .good, subject: "runtime", text: "hands pod annotations to plugins")
            : Finding(
                verdict: .doubtful,
                subject: "runtime",
                text: "hands no pod annotations to plugins, so pods outside the mesh need the agent to start; "
                    + "containerd hands them over, CRI-O from about 1.28, Multus does not"
            )
    }

    fileprivate var kernel: DoctorReport.Finding {
        guard let missingFromNFTables else {
            return Finding(verdict: .good, subject: "kernel", text: "nf_tables takes every rule")
        }
        return Finding(
            verdict: .doubtful,
            subject: "kernel",
            text:
                "nf_tables lacks something (\(missingFromNFTables)), so iptables is used; load nft_redir, nft_tproxy, "
                + "nft_socket and nft_ct for the faster back-end"
        )
    }

    fileprivate var configuration: DoctorReport.Finding {
        let subject = "configuration"
        if let configurationProblem { return Finding(verdict: .bad, subject: subject, text: configurationProblem) }
        guard let loadedFile else {
            let text = "no runtime finds a configuration of a CNI in \(configurationDirectory); install the primary CNI"
            return Finding(verdict: .bad, subject: subject, text: text)
        }
        if filesWithEntry.contains(loadedFile) {
            return Finding(
                verdict: .good,
                subject: subject,
                text: "\(loadedFile) is loaded, and has the plugin's entry"
            )
        }
        let others = filesWithEntry.isEmpty ? "no file has it" : "\(filesWithEntry.joined(separator: ", ")) has it"
        return Finding(
            verdict: installs ? .bad : .doubtful,
            subject: subject,
            text: "\(loadedFile) is loaded, and has no entry of the plugin; \(others)"
        )
    }

    fileprivate var plugin: DoctorReport.Finding {
        if hasPlugin { return Finding(verdict: .good, subject: "plugin", text: "is in \(programDirectory)") }
        return Finding(
            verdict: installs ? .bad : .doubtful,
            subject: "plugin",
            text: "is not in \(programDirectory); is that the runtime's directory, and can it be written? "
                + "Some distributions need global.platform in the chart's values"
        )
    }

    /// What each right is for; the numbers are those of `capabilities(7)` in <linux/capability.h>.
    private static let rights: [(name: String, number: UInt64, repairOnly: Bool)] = [
        ("DAC_OVERRIDE", 1, false), ("NET_ADMIN", 12, false), ("NET_RAW", 13, false), ("SYS_PTRACE", 19, true),
        ("SYS_ADMIN", 21, false),
    ]

    fileprivate var rights: DoctorReport.Finding {
        let missing = Self.rights.filter { right in
            (repairs || !right.repairOnly) && capabilities & (1 << right.number) == 0
        }
        guard !missing.isEmpty else {
            return Finding(verdict: .good, subject: "capabilities", text: "all that are needed")
        }
        let names = missing.map { right in right.name }.joined(separator: ", ")
        return Finding(
            verdict: .bad,
            subject: "capabilities",
            text: "missing: \(names); see the chart's securityContext"
        )
    }

    fileprivate var processes: DoctorReport.Finding? {
        guard repairs else { return nil }
        if hasProcesses { return Finding(verdict: .good, subject: "host's /proc", text: "is at \(processDirectory)") }
        return Finding(
            verdict: .bad,
            subject: "host's /proc",
            text:
                "is not at \(processDirectory), so repair finds no pod; the chart mounts it where repair.repairPods is on"
        )
    }
}
