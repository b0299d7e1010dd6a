internal import CNIProtocol

/// A node's report for people.
package struct NodeReportText {
    private let report: NodeReport
    private let style: TextStyle

    package init(_ report: NodeReport, hasColour: Bool) {
        self.report = report
        style = TextStyle(hasColour: hasColour)
    }

    /// The agent, and the pods that call for something.
    ///
    /// - Parameter showsAll: Whether pods with which all is well are listed as well.
    /// - Returns: Lines.
    package func status(showsAll: Bool) -> String {
        var lines = agent + ["", "pods         \(counts)"]
        let listed = showsAll ? report.pods : report.bypassing + report.unknown
        if !listed.isEmpty { lines += [""] + table(of: listed) }
        let advice = self.advice
        if !advice.isEmpty { lines += [""] + advice }
        return lines.joined(separator: "\n") + "\n"
    }

    package var bypass: String {
        var lines: [String] = []
        if report.bypassing.isEmpty {
            lines.append(style.paint("no pod of this node is known to bypass the mesh", .green))
        } else {
            lines += table(of: report.bypassing)
        }
        if !report.unknown.isEmpty { lines += ["", "NOT KNOWN"] + table(of: report.unknown) }
        let advice = self.advice
        if !advice.isEmpty { lines += [""] + advice }
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: - The agent

    private var agent: [String] {
        let word = report.isReady ? style.paint("ready", .green) : style.paint("not ready", .red)
        var lines = ["agent        \(told("version")), \(word)"]
        lines += (report.status["reasons"]?.strings ?? []).map { reason in
            "             " + style.paint(LineLogHandler.printable(reason), .red)
        }
        lines.append("back-end     \(told("backend")): \(told("backendReason"))")
        lines.append("role         \(told("role"))")
        if let times { lines.append("ADD          \(times)") }
        if let repair { lines.append("last repair  \(repair)") }
        return lines
    }

    /// How long ADDs took; nothing before the first, or of an agent that does not tell.
    private var times: String? {
        guard let times = report.status["addTimes"], let median = times["p50Microseconds"]?.integer,
            let slowest = times["p99Microseconds"]?.integer, let count = times["count"]?.integer
        else { return nil }
        return "p50 \(median) µs, p99 \(slowest) µs, of the last \(count)"
    }

    private var repair: String? {
        guard let repair = report.status["lastRepair"], let pod = repair["pod"]?.string,
            let seconds = repair["secondsAgo"]?.integer
        else { return nil }
        return "\(LineLogHandler.printable(pod)), \(Self.age(seconds)) ago"
    }

    private func told(_ key: String) -> String {
        let text = report.status[key]?.string ?? ""
        return text.isEmpty ? "?" : LineLogHandler.printable(text)
    }

    // MARK: - Pods

    private var counts: String {
        PodState.allCases.map { state in
            let count = report.pods.count { pod in pod.state == state }
            let text = "\(count) \(state.rawValue)"
            return count > 0 && state.isBypass ? style.paint(text, .red) : text
        }.joined(separator: ", ")
    }

    private func table(of pods: [ReportedPod]) -> [String] {
        var table = TextTable(titles: ["POD", "STATE", "SINCE", "RULES BY", "WHY"])
        for pod in pods {
            table.add(
                [pod.name, pod.state.rawValue, Self.age(pod.ageSeconds), pod.author, pod.reason],
                style: pod.state.isBypass ? .red : nil
            )
        }
        return table.lines(style)
    }

    /// What to do, once for each state that calls for something.
    private var advice: [String] {
        var lines: [String] = []
        let states = Set(report.pods.map { pod in pod.state })
        if states.contains(.bypassing) {
            lines += [
                "bypassing: this pod's traffic does not go through its sidecar. With REPAIR_REPAIR_PODS=true the agent",
                "  puts the redirection in. Otherwise delete the pod, so that it is made again: kubectl delete pod -n NAMESPACE NAME",
            ]
        }
        if states.contains(.partial) {
            lines += [
                "partial: some of the pod's redirection is missing, and the agent does not rewrite rules under a running",
                "  pod. Delete the pod, so that it is made again.",
            ]
        }
        if states.contains(.unknown) {
            lines += [
                "unknown: nobody has looked into the pod. That takes repair (REPAIR_ENABLED and REPAIR_REPAIR_PODS) and the",
                "  host's /proc. A pod that is just starting is unknown for some seconds.",
            ]
        }
        return lines
    }

    /// In its largest unit, as `kubectl` does.
    package static func age(_ seconds: Int) -> String {
        switch seconds {
        case ..<120: "\(max(0, seconds))s"
        case ..<7_200: "\(seconds / 60)m"
        case ..<172_800: "\(seconds / 3_600)h"
        default: "\(seconds / 86_400)d"
        }
    }
}

extension PodState {
    fileprivate var isBypass: Bool { self == .bypassing || self == .partial }
}
