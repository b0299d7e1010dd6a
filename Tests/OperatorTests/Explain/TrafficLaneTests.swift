import CNIProtocol
import Redirect
import Testing

@testable import Operator

/// What is drawn of a pod's traffic is what its rules do.
@Suite struct TrafficLaneTests {
    private static let ranges = RedirectPlan.OutboundRanges.only([AddressRange("10.0.0.0/8")].compactMap { $0 })

    @Test(
        arguments: [
            (
                RedirectPlan.InterceptionMode.redirect, RedirectPlan.OutboundRanges.all,
                "TCP to every address ──► sidecar:15001"
            ),
            (.redirect, ranges, "TCP to 1 range ──► sidecar:15001"),
            (.redirect, .only([]), "everything ──► network"),
            (.transparentProxy, .all, "TCP to every port ──► sidecar:15006"),
        ]
    )
    func `the lane of virtual machines goes where the rules send what they send`(
        mode: RedirectPlan.InterceptionMode,
        ranges: RedirectPlan.OutboundRanges,
        way: String
    ) throws {
        let plan = RedirectPlan(
            interceptionMode: mode,
            outboundRanges: ranges,
            includedOutboundPorts: [443],
            virtualInterfaces: ["k6t-eth0", "vnet1"]
        )
        let packet = Packet(
            .inbound(interface: "vnet1"),
            .tcp,
            from: try #require(IPAddress("10.0.2.2")),
            to: try #require(IPAddress("10.1.2.3")),
            destinationPort: 443
        )

        let lane = try #require(TrafficLane.all(of: plan).first { $0.inside.title == "Virtual machines" })

        #expect(lane.text.first?.hasPrefix("OUTBOUND  virtual machines on k6t-eth0, vnet1 ─── \(way)") == true)
        switch RuleSet(plan).verdict(for: packet).outcome {
        case .redirected(let port), .takenOver(let port): #expect(lane.port == port)
        case .passes, .dropped: #expect(lane.port == nil)
        }
    }

    @Test(arguments: ["istio.io/reroute-virtual-interfaces", "traffic.sidecar.istio.io/kubevirtInterfaces"])
    func `virtual machines are in words and picture, whatever the annotation is called`(annotation: String) throws {
        let pod = try ExplainedPod(
            PodManifest(
                """
                kind: Pod
                metadata: {name: a, annotations: {sidecar.istio.io/status: '{}', \(annotation): k6t}}
                spec: {containers: [{name: istio-proxy, args: [proxy, sidecar]}]}
                """
            )
        )

        #expect(ExplainText(pod, hasColour: false).text.contains("virtual machines on k6t ───"))
        #expect(TrafficPicture(pod).drawing.texts.contains { $0.string == "Virtual machines" })
    }

    @Test func `settings about ports and DNS do nothing for virtual machines, which is said`() {
        let plan = RedirectPlan(
            outboundRanges: Self.ranges,
            includedOutboundPorts: [443],
            virtualInterfaces: ["k6t"],
            dns: .all
        )

        let gaps = CaptureGap.all(of: plan).map { $0.what }

        #expect(gaps.contains("virtual machines: port 443 too, outside the ranges"))
        #expect(gaps.contains("virtual machines: DNS too"))
    }
}
