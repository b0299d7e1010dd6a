import AgentProtocol
import CNIProtocol
import LinuxKernel
import Logging
import ServiceLifecycle
import Testing

@testable import Agent

@Suite(.timeLimit(.minutes(2))) struct HealthServerTests {
    @Test func `a probe is told whether the agent is ready, and a person why not`() async throws {
        let pods = ReadinessFlag("the pods have not been read yet")
        let installed = ReadinessFlag("there is no configuration of a primary CNI yet")
        let readiness = Readiness([.init("pods", pods), .init("installed", installed)])

        try await ServedPort { told in HealthServer(port: 0, readiness: readiness, isListening: told) }.run {
            (port) async throws in
            let before = try await request("GET", "/readyz", port: port).response
            pods.obstacle = nil
            let half = try await request("GET", "/readyz", port: port).response
            installed.obstacle = nil
            let ready = try await request("GET", "/readyz", port: port).response
            pods.obstacle = "the API server is away"
            let lost = try await request("GET", "/readyz", port: port).response

            #expect([before.status, half.status, ready.status, lost.status] == [503, 503, 200, 503])
            let reasons = try JSONValue(parsing: before.body)["reasons"]?.array ?? []
            #expect(reasons.map { reason in reason["condition"]?.string } == ["pods", "installed"])
            #expect(try JSONValue(parsing: ready.body)["ready"]?.bool == true)
        }
    }

    @Test(arguments: ["GET", "HEAD", "POST", "DELETE"])
    func `the agent is alive whatever the method, ready or not`(method: String) async throws {
        let readiness = Readiness([.init("pods", ReadinessFlag("never"))])

        try await ServedPort { told in HealthServer(port: 0, readiness: readiness, isListening: told) }.run {
            (port) async throws in
            #expect(try await request(method, "/healthz?verbose", port: port).head.hasPrefix("http/1.1 200 "))
            #expect(try await request(method, "/readyz", port: port).head.hasPrefix("http/1.1 503 "))
            #expect(try await request(method, "/secrets", port: port).head.hasPrefix("http/1.1 404 "))
        }
    }

    @Test func `both families are served`() async throws {
        let loopback: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]

        try await ServedPort { told in HealthServer(port: 0, readiness: Readiness([]), isListening: told) }.run {
            (port) async throws in
            #expect(try await request("GET", "/readyz", port: port).response.status == 200)
            #expect(try await request("GET", "/readyz", port: port, address: loopback).response.status == 200)
        }
    }

    @Test func `a port that somebody else has ends the agent, and is named`() async throws {
        let other = try InternetSocket(.tcp, .ipv4, owner: nil)
        try other.bind(to: SocketEndpoint([0, 0, 0, 0], port: 0))
        try other.listen()
        let port = Int(try other.localEndpoint().port)
        let group = ServiceGroup(
            configuration: .init(
                services: [HealthServer(port: port, readiness: Readiness([]))],
                logger: Logger(label: "test")
            )
        )

        let failure = await #expect(throws: PortServer.Failure.self) { try await group.run() }

        #expect(failure?.port == port)
        #expect(failure?.description.contains("HEALTH_PORT") == true)
    }
}
