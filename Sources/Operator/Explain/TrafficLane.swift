package import Redirect

/// One way of a pod's traffic: who sends, what the sidecar gets of it, and who receives.
package struct TrafficLane: Equatable, Sendable {
    package let name: String

    /// Who sends what leaves, and receives what arrives.
    package let inside: End
    package let outside: End
    package let isInbound: Bool

    /// Where the sidecar listens for it; nil where nothing of it is captured.
    package let port: UInt16?

    /// What is captured, in few words.
    package let captured: String

    /// How it is captured, or what the sidecar does then.
    package let remark: String

    /// What is said about the rest.
    package let rest: String

    /// One end of the way.
    package struct End: Equatable, Sendable {
        package let text: String

        /// What stands in its box.
        package let title: String
        package let note: String

        init(_ text: String, title: String, note: String = "") {
            self.text = text
            self.title = title
            self.note = note
        }

        static let network = End("network", title: "Network")
        static let nameServer = End("name server", title: "Name server")

        static func application(_ plan: RedirectPlan) -> End {
            End("application", title: "Application", note: "any user but \(proxyUser(plan))")
        }

        static func machines(_ interfaces: [String]) -> End {
            let names = CaptureGap.list(interfaces)
            return End("virtual machines on \(names)", title: "Virtual machines", note: names)
        }
    }

    package static func all(of plan: RedirectPlan) -> [TrafficLane] {
        var lanes = [outbound(plan)]
        if !plan.virtualInterfaces.isEmpty { lanes.append(machines(plan)) }
        lanes.append(inbound(plan))
        if plan.dns != .off {
            lanes.append(
                TrafficLane(
                    name: "DNS",
                    inside: .application(plan),
                    outside: .nameServer,
                    isInbound: false,
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
            inside: .application(plan),
            outside: .network,
            isInbound: false,
            port: isCaptured ? plan.ports.outbound : nil,
            captured: isCaptured ? captured : "nothing",
            remark: "as user \(proxyUser(plan))",
            rest: "the exceptions"
        )
    }

    /// What virtual machines send: only the ranges decide about it, not the ports (``RuleSet``).
    private static func machines(_ plan: RedirectPlan) -> TrafficLane {
        var captured: String? = "TCP to every address"
        var port = plan.ports.outbound
        var rest = "all but TCP"
        if plan.interceptionMode == .transparentProxy, let ports = inboundPorts(plan) {
            // The mangle table comes before the nat table, and takes it for a connection to the pod.
            (captured, port, rest) = (ports, plan.ports.inbound, "the exceptions")
        } else if case .only(let ranges) = plan.outboundRanges {
            captured = ranges.isEmpty ? nil : "TCP to \(count(ranges.count, "range"))"
            rest = ranges.isEmpty ? "everything" : "all else"
        }
        return TrafficLane(
            name: "OUTBOUND",
            inside: .machines(plan.virtualInterfaces),
            outside: .network,
            isInbound: false,
            port: captured == nil ? nil : port,
            captured: captured ?? "nothing",
            remark: "as user \(proxyUser(plan))",
            rest: rest
        )
    }

    private static func inbound(_ plan: RedirectPlan) -> TrafficLane {
        let captured = inboundPorts(plan)
        return TrafficLane(
            name: "INBOUND",
            inside: .application(plan),
            outside: .network,
            isInbound: true,
            port: captured == nil ? nil : plan.ports.inbound,
            captured: captured ?? "nothing",
            remark: "over lo",
            rest: captured == nil ? "everything" : "the exceptions"
        )
    }

    /// What is captured on the way in; nil for nothing.
    private static func inboundPorts(_ plan: RedirectPlan) -> String? {
        switch plan.inboundPorts {
        case .all(let ports): ports.isEmpty ? "TCP to every port" : "TCP to all but \(count(ports.count, "port"))"
        case .only(let ports): ports.isEmpty ? nil : "TCP to \(count(ports.count, "port"))"
        }
    }

    private static func proxyUser(_ plan: RedirectPlan) -> UInt32 {
        plan.proxyUsers.first ?? RedirectPlan.defaultProxyID
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    /// The way as lines for a terminal.
    package var text: [String] {
        let head = name + String(repeating: " ", count: 10 - name.count)
        let indent = String(repeating: " ", count: 10)
        let (sender, receiver) = isInbound ? (outside.text, inside.text) : (inside.text, outside.text)
        var lines: [String] = []
        if let port {
            lines.append("\(head)\(sender) ─── \(captured) ──► sidecar:\(port) ─── \(remark) ──► \(receiver)")
        }
        lines.append("\(port == nil ? head : indent)\(sender) ─── \(rest) ──► \(receiver)")
        return lines
    }
}
