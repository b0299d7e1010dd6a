internal import Agent

/// What is said about a pod, for people.
package struct ExplainText {
    private let pod: ExplainedPod
    private let style: TextStyle

    package init(_ pod: ExplainedPod, hasColour: Bool) {
        self.pod = pod
        style = TextStyle(hasColour: hasColour)
    }

    package var text: String {
        var lines = [
            style.paint(LineLogHandler.printable(pod.name), .bold),
            style.paint(pod.sentence, pod.plan == nil ? .bold : .green), "",
        ]
        lines += pod.steps.map { step in
            step.decides ? style.paint("  =>  \(step.statement)", .bold) : "  ok  \(step.statement)"
        }
        if pod.plan != nil { lines.append(style.paint("  =>  is redirected", .green)) }
        lines += pod.warnings.map { "warning  \(LineLogHandler.printable($0))" }
        if let plan = pod.plan {
            let addresses = pod.addresses.joined(separator: ", ")
            lines += [
                "", "addresses  \(addresses)\(pod.hasSampleAddresses ? " (samples: the pod has none yet)" : "")", "",
            ]
            lines += TrafficLane.all(of: plan).flatMap { $0.text }
            lines += [""] + gaps(CaptureGap.all(of: plan))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func gaps(_ gaps: [CaptureGap]) -> [String] {
        var table = TextTable(titles: ["PAST THE SIDECAR", "WHAT", "WHY"])
        for gap in gaps { table.add([gap.direction.rawValue, gap.what, gap.why], style: nil) }
        return table.lines(style)
    }
}
