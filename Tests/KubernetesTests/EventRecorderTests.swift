import CNIProtocol
import HTTPTestSupport
import Kubernetes
import Logging
import TestSupport
import Testing

@Suite struct EventRecorderTests {
    static func event(_ name: String = "cart", _ message: String = "rules were missing") -> ClusterEvent {
        ClusterEvent(.warning, about: .pod(name, in: "shop", uid: "u1"), reason: "RepairedPod", message: message)
    }

    /// Runs a recorder while `body` runs.
    static func run(_ body: (ScriptedServer, EventRecorder, Task<Void, Never>) async throws -> Void) async throws {
        try await ScriptedServer.runWithClient { server, client in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let recorder = EventRecorder(
                client: client,
                source: EventSource(host: "node-1"),
                logger: logger,
                timestamp: { "2026-11-26T01:02:03Z" }
            )
            let run = Task { await recorder.run() }
            do {
                try await body(server, recorder, run)
            } catch {
                run.cancel()
                await run.value
                throw error
            }
            run.cancel()
            await run.value
        }
    }

    @Test func `an Event has what kubectl describe shows`() async throws {
        try await Self.run { server, recorder, _ in
            recorder.record(Self.event())
            try await eventually("an Event") { server.events.count == 1 }

            let event = try #require(server.events.first)
            #expect(server.requests.first?.target == "/api/v1/namespaces/shop/events")
            #expect(event["involvedObject"]?["uid"] == .string("u1"))
            #expect(event["reason"] == .string("RepairedPod"))
            #expect(event["type"] == .string("Warning"))
            #expect(event["source"]?.stringsByName == ["component": "istio-cni", "host": "node-1"])
            #expect(event["count"] == .integer(1))
            #expect(event["firstTimestamp"] == .string("2026-11-26T01:02:03Z"))
        }
    }

    @Test func `an Event about a node is in the default namespace`() async throws {
        try await Self.run { server, recorder, _ in
            recorder.record(ClusterEvent(.normal, about: .node("node-1"), reason: "Quarrel", message: "m"))
            try await eventually("an Event") { server.events.count == 1 }

            #expect(server.requests.first?.target == "/api/v1/namespaces/default/events")
            #expect(server.events.first?["involvedObject"]?["namespace"] == .string(""))
        }
    }

    @Test func `repeated Events are counted in one object`() async throws {
        try await Self.run { server, recorder, _ in
            for index in 1...3 { recorder.record(Self.event("cart", "message \(index)")) }
            try await eventually("three") { server.events.first?["count"] == .integer(3) }

            #expect(server.events.count == 1)
            #expect(server.events.first?["message"] == .string("message 3"))
            #expect(server.requests.map(\.method) == ["POST", "PATCH", "PATCH"])
        }
    }

    @Test func `an Event that the server has forgotten is made anew`() async throws {
        try await Self.run { server, recorder, _ in
            recorder.record(Self.event())
            try await eventually("an Event") { server.events.count == 1 }
            server.remove("/api/v1/namespaces/shop/events/cart.x1")

            recorder.record(Self.event())

            try await eventually("another") { server.events.first?["count"] == .integer(2) }
            #expect(server.requests.map(\.method) == ["POST", "PATCH", "POST"])
        }
    }

    @Test func `the first refusal switches Events off`() async throws {
        try await Self.run { server, recorder, run in
            server.always(.status(403, reason: "Forbidden"), containing: "/events")
            for name in ["cart", "web", "db"] { recorder.record(Self.event(name)) }
            try await eventually("the refusal is heard") { recorder.isSwitchedOff }
            server.behave()

            recorder.record(Self.event("late"))

            run.cancel()
            await run.value
            #expect(server.requests.count == 1)
        }
    }

    @Test func `a namespace that is being deleted does not switch Events off`() async throws {
        try await Self.run { server, recorder, _ in
            let status =
                #"{"kind":"Status","code":403,"reason":"Forbidden","details":{"causes":[{"reason":"NamespaceTerminating"}]}}"#
            server.script([.body(Array(status.utf8), status: 403)], containing: "/events")
            recorder.record(Self.event())

            recorder.record(Self.event("web"))

            try await eventually("an Event") { server.events.count == 1 }
        }
    }

    @Test func `a server that fails loses one Event and not the next`() async throws {
        try await Self.run { server, recorder, _ in
            server.script([.status(500)], containing: "/events")
            recorder.record(Self.event())
            recorder.record(Self.event("web"))

            try await eventually("an Event") { server.events.count == 1 }
        }
    }

    @Test func `nothing waits for a server that hangs`() async throws {
        try await Self.run { server, recorder, _ in
            server.always(.hang)

            for index in 0..<1_000 { recorder.record(Self.event("p\(index)")) }

            try await eventually("a request") { server.requests.count == 1 }
        }
    }
}
