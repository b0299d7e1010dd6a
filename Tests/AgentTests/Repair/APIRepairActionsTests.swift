import Agent
import CNIProtocol
import HTTPTestSupport
import Kubernetes
import Logging
import Redirect
import TestSupport
import Testing

/// Delete and label modes, against a server that behaves as the recordings of a real one.
@Suite(.timeLimit(.minutes(2))) struct APIRepairActionsTests {
    private func run(
        _ body: (ScriptedServer, RepairActions, EventRecorder) async throws -> Void
    ) async throws {
        try await ScriptedServer.runWithClient { server, client in
            let recorder = EventRecorder(
                client: client,
                source: EventSource(host: "node-1"),
                logger: Logger(label: "test")
            ) { "2026-01-02T03:04:05Z" }
            try await body(server, RepairActions.through(client, events: recorder), recorder)
        }
    }

    /// The pod as the server has it now.
    private func pod(_ server: ScriptedServer) throws -> NodePod {
        let object = try #require(server.object(at: TestPod.path("cart")))
        return try NodePod(object, keeping: ["cni.istio.io/uninitialized"])
    }

    @Test func `a pod is deleted as it was looked at`() async throws {
        try await run { server, actions, _ in
            server.put(TestPod.object("cart", namespace: "shop"))
            let pod = try pod(server)

            let outcome = await actions.delete(pod)

            #expect(outcome == .done)
            let request = try #require(server.requests.last)
            #expect(request.body["preconditions"]?["uid"]?.string == pod.pod.uid)
            #expect(request.body["preconditions"]?["resourceVersion"]?.string == pod.resourceVersion)
        }
    }

    @Test func `a pod that has changed since, or has another UID, or is gone, is no failure`() async throws {
        try await run { server, actions, _ in
            server.put(TestPod.object("cart", namespace: "shop"))
            var changed = try pod(server)
            changed.resourceVersion = "1"
            var other = try pod(server)
            other.pod.uid = "another"
            var gone = try pod(server)
            gone.pod.name = "gone"

            #expect(await actions.delete(changed) == .changed)
            #expect(await actions.delete(other) == .changed)
            #expect(await actions.delete(gone) == .changed)
            #expect(server.object(at: TestPod.path("cart")) != nil)

            // The UID in a patch is a precondition, as the kubelet's own patches of a status have it.
            server.script([.status(409)], for: "PATCH")
            #expect(await actions.label(other, "k", "v") == .changed)
            #expect(server.requests.last?.body["metadata"]?["uid"]?.string == "another")
        }
    }

    @Test func `a label goes to the pod's status by a merge patch`() async throws {
        try await run { server, actions, _ in
            server.put(TestPod.object("cart", namespace: "shop"))

            let outcome = await actions.label(try pod(server), "cni.istio.io/uninitialized", "true")

            #expect(outcome == .done)
            #expect(server.requests.last?.path == TestPod.path("cart") + "/status")
            #expect(server.requests.last?.headers["content-type"] == "application/merge-patch+json")
            #expect(try pod(server).pod.labels["cni.istio.io/uninitialized"] == "true")
        }
    }

    @Test func `what the server refuses is a failure with its reason`() async throws {
        try await run { server, actions, _ in
            server.put(TestPod.object("cart", namespace: "shop"))
            server.always(.status(403), for: "DELETE")

            let outcome = await actions.delete(try pod(server))

            guard case .failed(let reason) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(reason.contains("403"))
        }
    }

    @Test func `people are told by an Event of the pod`() async throws {
        try await run { server, actions, recorder in
            server.put(TestPod.object("cart", namespace: "shop"))
            let sending = Task { await recorder.run() }

            actions.report(try pod(server), RepairEvent(.repaired, "It was repaired."))

            try await eventually("an Event is written") { !server.events.isEmpty }
            let event = try #require(server.events.first)
            #expect(event["reason"]?.string == "RedirectionRepaired")
            #expect(event["type"]?.string == "Normal")
            #expect(event["involvedObject"]?["name"]?.string == "cart")
            sending.cancel()
        }
    }
}
