import Agent
import AgentProtocol
import CNIProtocol
import Foundation
import Redirect
import Testing

@Suite(.timeLimit(.minutes(2))) struct PluginServerTests {
    @Test func `a pod of the mesh gets a plan, and one outside a reason`() async throws {
        let outside = #"{"metadata":{"namespace":"shop","name":"job"},"spec":{"containers":[{"name":"a"}]}}"#
        let agent = try RunningAgent(pods: ["cart.json": Sample.pod(), "job.json": outside])

        try await agent.run { () async throws in
            var job = Sample.request
            job.podName = "job"
            job.podUID = ""

            #expect(
                try await agent.ask(Sample.request)
                    == .answer(
                        .redirect(
                            RedirectPlan(
                                inboundPorts: .all(except: [15_020, 15_021, 15_090]),
                                excludedOutboundPorts: [15_020]
                            )
                        )
                    )
            )
            #expect(try await agent.ask(job) == .answer(AddAnswer(skip: .noProxyContainer)))
        }
    }

    @Test func `what has no answer is refused with the status of its reason`() async throws {
        let annotation = #","traffic.sidecar.istio.io/includeInboundPorts":"many""#
        let agent = try RunningAgent(pods: ["cart.json": Sample.pod(annotations: annotation)])

        try await agent.run { () async throws in
            #expect(
                try await refusal(agent) { _ in }
                    == AddRefusal(
                        .badPod,
                        "pod shop/cart: traffic.sidecar.istio.io/includeInboundPorts: \"many\" is not a port; "
                            + "expected * or a comma-separated list of ports 0-65535"
                    )
            )
            #expect(try await refusal(agent) { request in request.podName = "x" }?.reason == .podUnknown)
            #expect(try await refusal(agent) { request in request.podUID = "u2" }?.reason == .uidDiffers)
            #expect(
                try await refusal(agent) { request in request.planVersions = [7] }?.reason == .noCommonPlanVersion
            )
        }
    }

    @Test(arguments: [[], ["127.0.0.1/8", "fe80::1/64"], ["10.0.0.2/24", "eth0"]])
    func `addresses that do not tell the families are refused as such`(addresses: [String]) async throws {
        let agent = try RunningAgent(pods: ["cart.json": Sample.pod()])

        try await agent.run { () async throws in
            let refusal = try await refusal(agent) { request in request.ips = addresses }
            #expect(refusal?.reason == .noAddress)
        }
    }

    @Test func `an agent that has not read its pods is not ready, and says so`() async throws {
        let agent = try RunningAgent()

        try await agent.run(isReadable: false) { () async throws in
            #expect(try await agent.status()["ready"] == .bool(false))
            #expect(try await refusal(agent) { _ in }?.reason == .notReady)
        }
    }

    @Test(arguments: [
        ("u1", true), ("", true), ("hash", true), ("mirror", true), ("u2", false),
    ])
    func `a static pod is known by the UID of its file too`(uid: String, isKnown: Bool) async throws {
        let annotations = #","kubernetes.io/config.hash":"hash","kubernetes.io/config.mirror":"mirror""#
        let agent = try RunningAgent(pods: ["cart.json": Sample.pod(annotations: annotations)])

        try await agent.run { () async throws in
            let refusal = try await refusal(agent) { request in request.podUID = uid }

            #expect((refusal == nil) == isKnown)
        }
    }

    @Test func `a report is kept for debug and answered with nothing`() async throws {
        let agent = try RunningAgent(pods: ["cart.json": Sample.pod()])

        try await agent.run { () async throws in
            #expect(try await agent.onlyPod()["state"] == .string("unknown"))
            _ = try await agent.ask(Sample.request)
            #expect(try await agent.onlyPod()["reason"] == .string("a plan was given out, and no report has come"))
            let report = AddReport(
                podNamespace: "shop",
                podName: "cart",
                containerID: "c1",
                phases: AddReport.Phases(decode: 1, lookup: 2, apply: 3),
                outcome: .redirected
            )

            let response = try await agent.response(HTTPRequestText(report))

            #expect(response == HTTPResponse(status: 204, body: []))
            #expect(try await agent.onlyPod()["state"] == .string("redirected"))
            #expect(try await agent.onlyPod()["containerID"] == .string("c1"))
        }
    }

    @Test func `an upstream plugin's cmdadd gets a clean error`() async throws {
        let agent = try RunningAgent()

        try await agent.run { () async throws in
            let response = try await agent.response(HTTPRequestText(post: "/cmdadd", body: Array("{}".utf8)))

            #expect(response.status == 501)
            #expect(try JSONValue(parsing: response.body)["error"]?.string?.contains("ambient") == true)
        }
    }

    @Test(arguments: [
        (10_000_000, 413), (MessageLimits.addBodyBytes + 1, 413), (MessageLimits.addBodyBytes, 400), (0, 400),
    ])
    func `a body is refused one byte past its limit, and what is no message too`(
        bytes: Int,
        status: Int
    ) async throws {
        let agent = try RunningAgent()

        try await agent.run { () async throws in
            let request = HTTPRequestText(post: "/v1/add", body: [UInt8](repeating: 0x20, count: bytes))

            #expect(try await agent.response(request).status == status)
        }
    }

    @Test(arguments: [
        "garbage\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "POST /v1/add HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ])
    func `garbage ends the connection, and the agent goes on`(text: String) async throws {
        let agent = try RunningAgent()

        try await agent.run { () async throws in
            let answer = String(decoding: try await agent.exchange(Array(text.utf8)), as: UTF8.self)

            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 400"))
            #expect(try await agent.status()["ready"] == .bool(true))
        }
    }

    @Test func `headers past their limit are refused`() async throws {
        let agent = try RunningAgent()

        try await agent.run { () async throws in
            let text = "GET /v1/status HTTP/1.1\r\nHost: a\r\nA: \(String(repeating: "a", count: 20_000))\r\n\r\n"
            let answer = String(decoding: try await agent.exchange(Array(text.utf8)), as: UTF8.self)

            #expect(!answer.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func `half a request is dropped after the time of silence`() async throws {
        let agent = try RunningAgent()
        var limits = SocketLimits()
        limits.idleSeconds = 0.3

        try await agent.run(limits: limits) { () async throws in
            let start = ContinuousClock.now
            let half = Array("POST /v1/add HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{".utf8)

            _ = try await agent.exchange(half)

            #expect((.milliseconds(200)...(.seconds(60))).contains(ContinuousClock.now - start))
        }
    }

    private func refusal(
        _ agent: RunningAgent,
        _ change: (inout AddRequest) -> Void
    ) async throws -> AddRefusal? {
        var request = Sample.request
        change(&request)
        guard case .refusal(let refusal) = try await agent.ask(request) else { return nil }
        return refusal
    }
}
