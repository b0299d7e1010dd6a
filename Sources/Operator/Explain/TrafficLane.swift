package import Redirect

/// One way of a pod's traffic: who sends, what the sidecar gets of it, and who receives.
package struct TrafficLane: Equatable, Sendable {
    package let name: String
    package let sender: String
    package let receiver: String

    /// Where the sidecar listens for it; nil where nothing of it is captured.
    package let port: UInt16?

    /// What is captured, in few words.
    package let captured: String

    /// How it is captured, or what the sidecar does then.
    package let remark: String

    /// What is said about the rest.
    package let rest: String

    package static func all(of plan: RedirectPlan) -> [TrafficLane] {
        var lanes = [outbound(plan), inbound(plan)]
        if plan.dns != .off {
            lanes.append(
                TrafficLane(
                    name: "DNS",
                    sender: "application",
                    receiver: "name server",
                    port: plan.ports.dns,
                    captured: "port 53, UDP and TCP",
                    remark: "asks where it must",
                    rest: "the sidecar's own requests"
                )
            )
        }
        return lanes
    }

    private static func outbound(_ plan: RedirectPlan) -> TrafficLane {
        let ports = plan.includedOutboundPorts.count
        var captured = "TCP to every address"
        var isCaptured = true
        if case .only(let ranges) = plan.outboundRanges {
            captured = ranges.isEmpty ? "TCP to" : "TCP to \(count(ranges.count, "range"))"
            if ports > 0 { captured += "\(ranges.isEmpty ? " " : " and ")\(count(ports, "port"))" }
            isCaptured = !ranges.isEmpty || ports > 0
        }
        return TrafficLane(
            name: "OUTBOUND",
            sender: "application",
            receiver: "network",
            port: isCaptured ? plan.ports.outbound : nil,
            captured: isCaptured ? captured : "nothing",
            remark: "as user \(plan.proxyUsers.first ?? RedirectPlan.defaultProxyID)",
            rest: "the exceptions"
        )
    }

    private static func inbound(_ plan: RedirectPlan) -> TrafficLane {
        let captured: String? =
            switch plan.inboundPorts {
            case .all(let ports): ports.isEmpty ? "TCP to every port" : "TCP to all but \(count(ports.count, "port"))"
            case .only(let ports): ports.isEmpty ? nil : "TCP to \(count(ports.count, "port"))"
            }
        return TrafficLane(
            name: "INBOUND",
            sender: "network",
            receiver: "application",
            port: captured == nil ? nil : plan.ports.inbound,
            captured: captured ?? "nothing",
            remark: "over lo",
            rest: captured == nil ? "everything" : "the exceptions"
        )
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    /// The way as lines for a terminal.
    package var text: [String] {
        let head = name + String(repeating: " ", count: 10 - name.count)
        let indent = String(repeating: " ", count: 10)
        var lines: [String] = []
        if let port {
            lines.append("\(head)\(sender) ─── \(captured) ──► sidecar:\(port) ─── \(remark) ──► \(receiver)")
        }
        lines.append("\(port == nil ? head : indent)\(sender) ─── \(rest) ──► \(receiver)")
        return lines
    }
}
