import Agent
import AgentProtocol
import CNIProtocol
import HTTPTestSupport
import Kubernetes
import Redirect
import TestSupport
import Testing

@Suite struct LivePodLookupTests {
    /// Runs a look-up on a scripted API server, which has long for an answer on a machine that runs many tests.
    static func run(
        requestLimit: Duration = .seconds(60),
        pods: PodDirectory = PodDirectory(),
        _ body: (ScriptedServer, LivePodLookup) async throws -> Void
    ) async throws {
        try await ScriptedServer.runWithClient { server, client in
            let lookup = LivePodLookup(client: client, node: "node-1", pods: pods, requestLimit: requestLimit)
            try await body(server, lookup)
        }
    }

    @Test func `a pod is found with one request`() async throws {
        try await Self.run { server, lookup in
            server.put(TestPod.object("cart", uid: "u7"))

            let pod = try await lookup.pod(namespace: "shop", name: "cart")

            #expect(pod?.pod.uid == "u7")
            #expect(server.requests.map(\.target) == ["/api/v1/namespaces/shop/pods/cart"])
        }
    }

    @Test func `a pod that is not there, or on another node, is none`() async throws {
        try await Self.run { server, lookup in
            server.put(TestPod.object("elsewhere", node: "node-2"))

            let missing = try await lookup.pod(namespace: "shop", name: "cart")
            let elsewhere = try await lookup.pod(namespace: "shop", name: "elsewhere")
            let impossible = try await lookup.pod(namespace: "shop", name: "../../nodes/node-1")

            #expect(missing == nil)
            #expect(elsewhere == nil)
            #expect(impossible == nil)
            #expect(server.requests.count == 2)
        }
    }

    @Test(arguments: [403, 500, 503])
    func `a server that refuses means another try`(code: Int) async throws {
        try await Self.run { server, lookup in
            server.always(.status(code, message: "a sentence"))

            let refusal = await #expect(throws: AddRefusal.self) {
                try await lookup.pod(namespace: "shop", name: "cart")
            }

            #expect(refusal?.reason == .notReady)
            #expect(refusal?.message.contains("shop/cart") == true)
            #expect(refusal?.message.contains("a sentence") == true)
        }
    }

    @Test func `a pod that cannot be read is refused with the field`() async throws {
        try await Self.run { server, lookup in
            server.script([.body(Array(#"{"metadata":{"name":7},"spec":{"nodeName":"node-1"}}"#.utf8))])

            let refusal = await #expect(throws: AddRefusal.self) {
                try await lookup.pod(namespace: "shop", name: "cart")
            }

            #expect(refusal?.reason == .badPod)
            #expect(refusal?.message == "pod shop/cart: metadata.name is not a string")
        }
    }

    @Test func `who asks for the same pod waits for the same answer`() async throws {
        try await Self.run(requestLimit: .seconds(2)) { server, lookup in
            server.script([.hang])
            let first = Task { try await lookup.pod(namespace: "shop", name: "cart") }
            try await eventually("a request") { server.requests.count == 1 }

            let others = (0..<50).map { _ in Task { try await lookup.pod(namespace: "shop", name: "cart") } }

            for task in [first] + others {
                await #expect(throws: AddRefusal.self) { try await task.value }
            }
            #expect(server.requests.count == 1)
        }
    }

    @Test func `four are asked for at once, eight wait, and the next is told at once`() async throws {
        try await Self.run(requestLimit: .seconds(2)) { server, lookup in
            server.always(.hang)
            let waiting = (0..<12).map { index in Task { try await lookup.pod(namespace: "shop", name: "p\(index)") } }
            try await eventually("twelve look-ups") { lookup.count == 12 && server.requests.count == 4 }

            let late = await #expect(throws: AddRefusal.self) {
                try await lookup.pod(namespace: "shop", name: "late")
            }

            #expect(late?.reason == .notReady)
            #expect(late?.message.contains("too many look-ups wait") == true)
            #expect(server.requests.count == 4)
            for task in waiting { await #expect(throws: AddRefusal.self) { try await task.value } }
            #expect(server.requests.count == 12)
        }
    }

    @Test func `there is room again after a server that hung`() async throws {
        try await Self.run(requestLimit: .seconds(5)) { server, lookup in
            server.put(TestPod.object("cart"))
            server.script(Array(repeating: .hang, count: 4), containing: "/pods/p")
            let hanging = (0..<4).map { index in Task { try await lookup.pod(namespace: "shop", name: "p\(index)") } }
            for task in hanging { await #expect(throws: AddRefusal.self) { try await task.value } }

            let pod = try await lookup.pod(namespace: "shop", name: "cart")

            #expect(pod != nil)
        }
    }

    @Test func `a pod that was found is kept`() async throws {
        let pods = PodDirectory()
        pods.replaceAll([])
        try await Self.run(pods: pods) { server, lookup in
            server.put(TestPod.object("cart", uid: "u7"))

            _ = try await lookup.pod(namespace: "shop", name: "cart")

            #expect(pods.entries.map(\.pod.pod.uid) == ["u7"])
        }
    }

    /// What the watch may tell between the question about a pod and the answer.
    enum Meanwhile: CaseIterable {
        case deleted, deletedWithOthers, replaced, changed, listed, anotherDeleted

        func happens(to pods: PodDirectory) {
            let named = { (uid: String, annotations: [String: String]) in
                NodePod(Pod(namespace: "shop", name: "cart", uid: uid, annotations: annotations, containers: []))
            }
            switch self {
            case .deleted: pods.remove(namespace: "shop", name: "cart", uid: "u7")
            case .deletedWithOthers:
                pods.remove(namespace: "shop", name: "cart", uid: "u7")
                for index in 0..<1_000 { pods.remove(namespace: "shop", name: "p\(index)", uid: "p\(index)") }
            case .replaced:
                pods.remove(namespace: "shop", name: "cart", uid: "u7")
                pods.update(named("u8", [:]))
            case .changed: pods.update(named("u7", ["of": "the watch"]))
            case .listed: pods.replaceAll([])
            case .anotherDeleted: pods.remove(namespace: "shop", name: "cart", uid: "u6")
            }
        }

        /// The UIDs that are known then.
        var expected: [String] {
            switch self {
            case .deleted, .deletedWithOthers, .listed: []
            case .replaced: ["u8"]
            case .changed, .anotherDeleted: ["u7"]
            }
        }
    }

    @Test(arguments: Meanwhile.allCases)
    func `an answer that is older than what the watch has told brings no pod back`(meanwhile: Meanwhile) async throws {
        let pods = PodDirectory()
        pods.replaceAll([])
        try await Self.run(pods: pods) { server, lookup in
            let answer = TestPod.object("cart", uid: "u7").bytes()
            server.script([
                .stream { index in
                    // The question has arrived, and its answer is being sent.
                    if index == 0 { meanwhile.happens(to: pods) }
                    return index == 0 ? answer : nil
                }
            ])

            let found = try await lookup.pod(namespace: "shop", name: "cart")

            #expect(found?.pod.uid == "u7")
            #expect(pods.entries.map(\.pod.pod.uid) == meanwhile.expected)
            if meanwhile == .changed { #expect(pods.entries.first?.pod.pod.annotations == ["of": "the watch"]) }
        }
    }

    @Test func `a full directory gives room to no pod, and the look-up still finds it`() async throws {
        let pods = PodDirectory()
        pods.replaceAll(
            (0..<PodDirectory.mostPods).map { index in
                NodePod(Pod(namespace: "shop", name: "p\(index)", uid: "p\(index)", annotations: [:], containers: []))
            }
        )
        try await Self.run(pods: pods) { server, lookup in
            server.put(TestPod.object("cart", uid: "u1"))
            let decisions = AddDecisions(pods: pods, backend: .nftables) { namespace, name throws(AddRefusal) in
                try await lookup.pod(namespace: namespace, name: name)
            }

            let answer = await decisions.answer(Sample.request)

            guard case .success = answer else {
                Issue.record("\(answer)")
                return
            }
            #expect(pods.count == PodDirectory.mostPods)
        }
    }
}
