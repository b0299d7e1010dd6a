import Conformance
import Enforcement
import LinuxKernel
import Operator
import Redirect
import TestSupport
import Testing

/// A pod whose proxy is a real Envoy, with requests that leave and enter it.
///
/// What Envoy's own counters say is what the whole project is for.
@Suite(.tags(.s36), .requiresSeveralUsers, .requiresEnvoy) struct EnvoyTests {
    static let combinations = RedirectPlan.InterceptionMode.allCases.flatMap { mode in
        RedirectPlan.Backend.allCases.map { backend in (mode, backend) }
    }

    @Test(.timeLimit(.minutes(3)), arguments: combinations)
    func `requests leave through 15001 and enter through 15006, in both families`(
        mode: RedirectPlan.InterceptionMode,
        backend: RedirectPlan.Backend
    ) async throws {
        let plan = RedirectPlan(backend: backend, interceptionMode: mode, redirectsIPv6: true)
        let sandbox = try await PodSandbox(
            SandboxNetwork(families: AddressFamily.allCases, interfaces: [], outsideAddresses: [])
        )
        try Enforcer().apply(plan, in: sandbox.pod)
        let application = try HTTPServer(port: Self.applicationPort, in: sandbox.pod)
        let outside = try HTTPServer(port: Self.outsidePort, in: sandbox.outside)
        defer {
            application.stop()
            outside.stop()
        }

        let envoy = Envoy(in: sandbox.pod, plan)
        let counters = try await envoy.whileRunning { () async throws in
            for family in AddressFamily.allCases {
                try await tryRequests(family, in: sandbox)
            }
            return try await envoy.counters()
        }

        for direction in EnvoyConfiguration.Direction.allCases {
            let requests = direction == .outbound ? 2 : 1
            #expect(counters[direction.takenCounter] == requests)
            #expect(counters[direction.passedOnCounter] == requests)
        }
    }

    /// One request each way through the proxy, and those that it must not see.
    private func tryRequests(_ family: AddressFamily, in sandbox: PodSandbox) async throws {
        let pod = SandboxNetwork.podAddress(family)
        let peer = SandboxNetwork.peer(of: pod)
        let loopback = (family == .ipv4 ? AddressRange.loopbackIPv4 : .loopbackIPv6).address
        let passthrough = (family == .ipv4 ? AddressRange.passthroughIPv4 : .passthroughIPv6).address

        let leaving = try await sandbox.pod.fetch(peer, Self.outsidePort, asUser: Self.applicationUser)
        let entering = try await sandbox.outside.fetch(pod, Self.applicationPort, asUser: Self.applicationUser)
        let ofProxy = try await sandbox.pod.fetch(peer, Self.outsidePort, asUser: Envoy.user)
        let toItself = try await sandbox.pod.fetch(loopback, Self.applicationPort, asUser: Self.applicationUser)

        // The servers say who came and where to, so this is the original destination as well.
        let connection = HTTPServer.Connection(from: pod, to: peer, port: Self.outsidePort)
        #expect(
            leaving == HTTPReply(server: EnvoyConfiguration.Direction.outbound.server, body: connection.description)
        )
        #expect(ofProxy == HTTPReply(server: HTTPServer.name, body: connection.description))
        let handedOver = HTTPServer.Connection(from: passthrough, to: pod, port: Self.applicationPort)
        #expect(
            entering == HTTPReply(server: EnvoyConfiguration.Direction.inboundIPv4.server, body: handedOver.description)
        )
        let own = HTTPServer.Connection(from: loopback, to: loopback, port: Self.applicationPort)
        #expect(toItself == HTTPReply(server: HTTPServer.name, body: own.description))
    }

    private static let applicationPort: UInt16 = 9_080
    private static let outsidePort: UInt16 = 8_080
    private static let applicationUser: UInt32 = 1_000
}
