import Redirect
import TestSupport
import Testing

@Suite struct RefusedPodsTests {
    /// What upstream's messages call the annotations.
    static let upstreamNames: [String: Annotation] = [
        "includeIPCidrs": .includeOutboundIPRanges,
        "excludeIPCidrs": .excludeOutboundIPRanges,
        "includeInboundPorts": .includeInboundPorts,
        "excludeInboundPorts": .excludeInboundPorts,
        "excludeInterfaces": .excludeInterfaces,
        "reroute-virtual-interfaces": .rerouteVirtualInterfaces,
    ]

    static func refused() throws -> [RecordedCase] {
        try RecordedCase.all().filter { $0.expected.exit != 0 }
    }

    @Test func `twelve recorded pods are refused`() throws {
        #expect(try Self.refused().count == 12)
    }

    @Test(arguments: try refused())
    func `a pod that upstream refuses is refused, and the annotation is named`(recorded: RecordedCase) throws {
        let message = try #require(recorded.expected.error?.msg)
        // annotation value error for value NAME; annotationFound = true: ...
        let name = try #require(message.split(separator: " for value ").last?.prefix { $0 != ";" })
        let annotation = try #require(Self.upstreamNames[String(name)])

        let error = #expect(throws: PlanError.self) {
            try Decision(pod: recorded.pod, addresses: recorded.addresses, backend: .nftables)
        }

        guard case .annotation(let refusal) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(refusal.annotation == annotation)
    }
}
