import Agent
import HTTPTestSupport
import Kubernetes
import Logging
import Redirect
import ServiceLifecycle
import TestSupport
import Testing

@Suite struct APIPodSourceTests {
    /// Runs a source on a scripted API server while `body` runs.
    static func run(
        keeping annotations: Set<String> = [],
        before: (ScriptedServer) -> Void = { _ in },
        body: (ScriptedServer, PodDirectory) async throws -> Void
    ) async throws {
        try await ScriptedServer.runWithClient { server, client in
            before(server)
            let pods = PodDirectory()
            let source = APIPodSource(
                client: client,
                query: .pods(onNode: "node-1"),
                pods: pods,
                keeping: annotations
            )
            let run = Task { try await source.run() }
            do {
                try await body(server, pods)
            } catch {
                run.cancel()
                try await run.value
                throw error
            }
            run.cancel()
            try await run.value
        }
    }

    @Test func `the pods of the node are there once the list is whole`() async throws {
        try await Self.run(keeping: ["team"]) { server in
            server.put(
                TestPod.object("cart", annotations: ["sidecar.istio.io/status": "{}", "team": "a", "note": "b"])
            )
            server.put(TestPod.object("web"))
            server.put(TestPod.object("elsewhere", node: "node-2"))
        } body: { server, pods in
            try await eventually("the list") { pods.isComplete }

            #expect(pods.entries.map(\.pod.fullName) == ["shop/cart", "shop/web"])
            #expect(pods.entries[0].pod.pod.annotations == ["sidecar.istio.io/status": "{}", "team": "a"])
        }
    }

    @Test func `changes arrive without another request`() async throws {
        try await Self.run { server, pods in
            try await eventually("a watch") { server.watchCount == 1 }
            server.put(TestPod.object("cart", uid: "u1"))
            try await eventually("cart") { pods.count == 1 }
            server.put(TestPod.object("cart", uid: "u2"))
            try await eventually("another cart") { pods.entries.first?.pod.pod.uid == "u2" }
            server.remove(TestPod.path("cart"))
            try await eventually("no cart") { pods.count == 0 }

            #expect(server.requests.count == 2)
        }
    }

    @Test func `a pod that went while the watch was away is gone after the next list`() async throws {
        try await Self.run { server in
            server.put(TestPod.object("cart"))
        } body: { server, pods in
            try await eventually("a watch") { server.watchCount == 1 && pods.count == 1 }
            server.always(.cut)
            server.cutWatches()
            server.remove(TestPod.path("cart"))
            server.put(TestPod.object("web"))
            server.expireVersions()
            server.behave()
            try await eventually("web") { pods.entries.map(\.pod.pod.name) == ["web"] }
        }
    }

    @Test func `a server that is away takes no pod away`() async throws {
        try await Self.run { server in
            server.put(TestPod.object("cart"))
        } body: { server, pods in
            try await eventually("a watch") { server.watchCount == 1 && pods.count == 1 }
            server.always(.status(500))
            server.cutWatches()
            try await eventually("attempts") { server.requests.count >= 4 }

            #expect(pods.count == 1)
        }
    }

    @Test func `an object that is no pod hides no other`() async throws {
        let list = #"{"metadata":{"resourceVersion":"1000"},"items":[{"metadata":{}},{"metadata":{"name":"cart"}}]}"#
        try await Self.run { server in
            server.script([.body(Array(list.utf8))])
        } body: { server, pods in
            try await eventually("the list") { pods.isComplete }

            #expect(pods.entries.map(\.pod.pod.name) == ["cart"])
        }
    }

    @Test func `the source ends with the agent, while it watches`() async throws {
        try await ScriptedServer.runWithClient { server, client in
            let source = APIPodSource(client: client, query: .pods(onNode: "node-1"), pods: PodDirectory())
            let group = ServiceGroup(configuration: .init(services: [source], logger: .init(label: "test")))
            let run = Task { try await group.run() }
            try await eventually("a watch") { server.watchCount == 1 }

            await group.triggerGracefulShutdown()

            try await run.value
        }
    }
}
