import Conformance
import Enforcement
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// What an init container of a pod can reach, whose proxy does not listen yet, and how it can get around that: the
/// ways that the guide names, with real connections.
@Suite(.requiresSeveralUsers) struct InitContainerTests {
    static let application = Packet.Owner(user: 1_000, group: 1_000)
    static let proxy = Packet.Owner(user: 1_337, group: 1_337)

    @Test(.tags(.s33a, .s33b))
    func `before the proxy listens, a connection is refused, but for one of the proxy's user`() async throws {
        let sandbox = try await Self.sandbox(try Self.plan())

        #expect(try await sandbox.connect(to: 80, as: Self.application) == .refused)
        #expect(try await sandbox.connect(to: 80, as: Self.proxy).isOutside)
        #expect(try await sandbox.connect(to: 80, as: Packet.Owner(user: 1_000, group: 1_337)).isOutside)
    }

    @Test(.tags(.s33c, .s33g))
    func `a range that is excluded is reached by whoever, and no other is`() async throws {
        let plan = try Self.plan([.excludeOutboundIPRanges: "203.0.113.0/24"])

        let sandbox = try await Self.sandbox(plan)

        #expect(try await sandbox.connect(to: 80, as: Self.application).isOutside)
        #expect(try await sandbox.connect(to: 80, as: Self.application, at: "192.0.2.9") == .refused)
    }

    @Test(.tags(.s33d, .s33g))
    func `a port that is excluded is reached by whoever, and no other is`() async throws {
        let sandbox = try await Self.sandbox(try Self.plan([.excludeOutboundPorts: "8200"]))

        #expect(try await sandbox.connect(to: 8_200, as: Self.application).isOutside)
        #expect(try await sandbox.connect(to: 8_201, as: Self.application) == .refused)
    }

    @Test(.tags(.s33e))
    func `with DNS capture only the proxy's user asks the name server itself`() async throws {
        let sandbox = try await Self.sandbox(try Self.plan(environment: ["ISTIO_META_DNS_CAPTURE": "true"]))

        let application = try await sandbox.connect(to: 53, as: Self.application, over: .udp, silent: [])
        let proxy = try await sandbox.connect(to: 53, as: Self.proxy, over: .udp, silent: [])

        #expect(application.place == .pod)
        #expect(proxy.isOutside)
    }

    @Test(.tags(.s33f))
    func `the proxy's user is that of its container, and then 1337 is captured like all others`() async throws {
        let sandbox = try await Self.sandbox(try Self.plan(user: 1_234))

        #expect(try await sandbox.connect(to: 80, as: Packet.Owner(user: 1_234, group: 1_234)).isOutside)
        #expect(try await sandbox.connect(to: 80, as: Self.proxy) == .refused)
    }

    /// The plan of a pod as the injector leaves it behind.
    private static func plan(
        _ annotations: [Annotation: String] = [:],
        environment: [String: String] = [:],
        user: UInt32 = 1_337
    ) throws -> RedirectPlan {
        var texts = [Annotation.status.name: "{}"]
        for (annotation, value) in annotations { texts[annotation.name] = value }
        let container = Pod.Container(
            name: "istio-proxy",
            arguments: ["proxy", "sidecar"],
            environment: environment,
            user: user,
            group: user
        )
        let pod = Pod(namespace: "default", name: "reviews-1", annotations: texts, containers: [container])
        let addresses = [SandboxNetwork.podAddress(.ipv4).description]
        guard case .redirect(let plan, _) = try Decision(pod: pod, addresses: addresses, backend: .nftables) else {
            throw NotRedirected()
        }
        return plan
    }

    private struct NotRedirected: Error {}

    private static func sandbox(_ plan: RedirectPlan) async throws -> PodSandbox {
        let outside = ["203.0.113.9", "192.0.2.9"].compactMap { IPAddress($0) }
        let sandbox = try await PodSandbox(
            SandboxNetwork(families: [.ipv4], interfaces: [], outsideAddresses: outside)
        )
        try Enforcer().apply(plan, in: sandbox.pod)
        return sandbox
    }
}

extension PodSandbox {
    /// One connection out of the pod, while nobody listens on the proxy's ports that are `silent`.
    fileprivate func connect(
        to port: UInt16,
        as owner: Packet.Owner,
        at address: String = "203.0.113.9",
        over transport: TransportProtocol = .tcp,
        silent: Set<UInt16> = [15_001, 15_006, 15_053]
    ) async throws -> Landing {
        let destination = SocketEndpoint(try #require(IPAddress(address)), port: port)
        let source = SandboxNetwork.podAddress(.ipv4)
        let attempt = ConnectionAttempt(
            transport,
            from: .pod,
            source,
            to: .outside,
            destination,
            through: "eth0",
            owner: owner
        )
        let landings = try await make(
            [attempt],
            proxy: InitContainerTests.proxy,
            silentPorts: silent,
            isTransparent: false
        )
        return try #require(landings.first)
    }
}

extension Landing {
    fileprivate var place: Place? {
        if case .arrived(let arrival) = self { arrival.place } else { nil }
    }

    fileprivate var isOutside: Bool { place == .outside }
}
