internal import CNIProtocol
package import Redirect

/// Traffic of a redirected pod that does not go through its proxy, and why.
package struct CaptureGap: Equatable, Sendable {
    package let direction: Direction
    package let what: String
    package let why: String

    package enum Direction: String, Sendable {
        case outbound
        case inbound
        case both
    }

    var value: JSONValue {
        .object([
            JSONMember("direction", .string(direction.rawValue)), JSONMember("what", .string(what)),
            JSONMember("why", .string(why)),
        ])
    }

    private init(_ direction: Direction, _ what: String, _ why: String) {
        self.direction = direction
        self.what = what
        self.why = why
    }

    package static func all(of plan: RedirectPlan) -> [CaptureGap] {
        both(plan) + outbound(plan) + machines(plan) + inbound(plan)
    }

    private static func both(_ plan: RedirectPlan) -> [CaptureGap] {
        var gaps: [CaptureGap] = []
        if !plan.redirectsIPv6 {
            let why = "the pod's first address is IPv4, and ISTIO_DUAL_STACK is not true"
            gaps.append(CaptureGap(.both, "IPv6, all of it", why))
        }
        let datagrams = plan.dns == .off ? "UDP, ICMP and other protocols" : "UDP but for DNS, ICMP and other protocols"
        gaps.append(CaptureGap(.both, datagrams, "the proxy speaks TCP"))
        if !plan.excludedInterfaces.isEmpty {
            gaps.append(CaptureGap(.both, list("interface", plan.excludedInterfaces), "excludeInterfaces"))
        }
        return gaps
    }

    private static func outbound(_ plan: RedirectPlan) -> [CaptureGap] {
        var gaps = [
            CaptureGap(
                .outbound,
                "user \(list(plan.proxyUsers)), group \(list(plan.proxyGroups))",
                "the proxy's own traffic would loop; whoever else has its ids passes too"
            ),
            CaptureGap(.outbound, "the pod to itself, over lo", "the application speaks to its own pod"),
        ]
        if case .only(let ranges) = plan.outboundRanges {
            let but = plan.includedOutboundPorts.isEmpty ? "" : ", but for \(list("port", plan.includedOutboundPorts))"
            let what =
                ranges.isEmpty ? "every destination" : "destinations outside \(list(ranges.map { $0.description }))"
            gaps.append(CaptureGap(.outbound, what + but, "includeOutboundIPRanges"))
        }
        if !plan.excludedOutboundRanges.isEmpty {
            let ranges = plan.excludedOutboundRanges.map { $0.description }
            gaps.append(CaptureGap(.outbound, "destinations in \(list(ranges))", "excludeOutboundIPRanges"))
        }
        if !plan.excludedOutboundPorts.isEmpty {
            gaps.append(CaptureGap(.outbound, list("port", plan.excludedOutboundPorts), "excludeOutboundPorts"))
        }
        return gaps
    }

    /// What settings about ports do for the application and not for virtual machines, whose packets only arrive.
    private static func machines(_ plan: RedirectPlan) -> [CaptureGap] {
        guard !plan.virtualInterfaces.isEmpty, plan.interceptionMode == .redirect else { return [] }
        var gaps: [CaptureGap] = []
        if case .only = plan.outboundRanges, !plan.includedOutboundPorts.isEmpty {
            let what = "virtual machines: \(list("port", plan.includedOutboundPorts)) too, outside the ranges"
            gaps.append(CaptureGap(.outbound, what, "includeOutboundPorts is about the pod's own processes"))
        }
        if plan.dns != .off {
            gaps.append(
                CaptureGap(.outbound, "virtual machines: DNS too", "DNS capture is about the pod's own processes")
            )
        }
        return gaps
    }

    private static func inbound(_ plan: RedirectPlan) -> [CaptureGap] {
        let tunnel = CaptureGap(
            .inbound,
            "port \(plan.ports.tunnel)",
            "mutual TLS tunnels go to the proxy by themselves"
        )
        return switch plan.inboundPorts {
        case .all(let ports) where ports.isEmpty: [tunnel]
        case .all(let ports):
            [CaptureGap(.inbound, list("port", ports), "excludeInboundPorts, and the sidecar's own ports"), tunnel]
        case .only(let ports) where ports.isEmpty: [CaptureGap(.inbound, "every port", "includeInboundPorts is empty")]
        case .only(let ports): [CaptureGap(.inbound, "every port but \(list(ports))", "includeInboundPorts"), tunnel]
        }
    }

    /// At most so many elements are written out; `--json` has the plan with all of them.
    private static let listedElements = 8

    private static func list(_ noun: String, _ elements: [some CustomStringConvertible]) -> String {
        "\(noun)\(elements.count == 1 ? "" : "s") \(list(elements))"
    }

    static func list(_ elements: [some CustomStringConvertible]) -> String {
        let shown = elements.prefix(listedElements).map { $0.description }.joined(separator: ", ")
        let rest = elements.count - listedElements
        return rest > 0 ? "\(shown) and \(rest) more" : shown
    }
}
