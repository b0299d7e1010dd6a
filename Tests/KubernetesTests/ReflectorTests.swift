import CNIProtocol
import HTTPTestSupport
import Kubernetes
import Logging
import TestSupport
import Testing

@Suite struct ReflectorTests {
    /// Follows the pods of `node-1` while `body` runs, with the shortest pauses.
    static func follow(
        files: MemoryFiles = MemoryFiles(["/token": Array("t1".utf8)]),
        limits: KubernetesClient.Limits = .patient,
        before: (ScriptedServer) -> Void = { _ in },
        body: (ScriptedServer, Recorder<Reflector.Notice>) async throws -> Void
    ) async throws {
        try await ScriptedServer.runWithClient(files: files, limits: limits) { server, client in
            before(server)
            let notices = Recorder<Reflector.Notice>()
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let reflector = Reflector(client: client, query: .pods(onNode: "node-1"), logger: logger, random: { 0 })
            let run = Task { await reflector.run { notice in notices.add(notice) } }
            do {
                try await body(server, notices)
            } catch {
                run.cancel()
                await run.value
                throw error
            }
            run.cancel()
            await run.value
        }
    }

    /// Notices in short: a kind, and the name of the object.
    static func summary(_ notices: Recorder<Reflector.Notice>) -> [String] {
        notices.all.map { notice in
            switch notice {
            case .listBegins: "list"
            case .listed(let pod): "listed \(name(pod))"
            case .listEnds: "end"
            case .changed(let pod): "changed \(name(pod))"
            case .deleted(let pod): "deleted \(name(pod))"
            case .unreadable: "unreadable"
            case .healthy: "healthy"
            case .interrupted(let interruption, _): "! \(interruption.rawValue)"
            }
        }
    }

    private static func name(_ pod: JSONValue) -> String { pod["metadata"]?["name"]?.string ?? "" }

    @Test func `a consumer hears of all pods, then of what changes`() async throws {
        try await Self.follow { server, notices in
            try await eventually("a watch") { server.watchCount == 1 }
            server.put(TestPod.object("cart"))
            server.put(TestPod.object("elsewhere", node: "node-2"))
            server.put(TestPod.object("cart", labels: ["a": "b"]))
            server.bookmark()
            server.remove(TestPod.path("cart"))
            try await eventually("the end of cart") { Self.summary(notices).last == "deleted cart" }

            #expect(
                Self.summary(notices) == [
                    "list", "end", "healthy", "healthy", "changed cart", "changed cart", "deleted cart",
                ]
            )
            let targets = server.requests.map(\.target)
            #expect(targets.count == 2)
            #expect(targets[0] == "/api/v1/pods?resourceVersion=0&fieldSelector=spec.nodeName%3Dnode-1")
            #expect(
                targets[1] == "/api/v1/pods?watch=1&allowWatchBookmarks=true&resourceVersion=1000&timeoutSeconds=300"
                    + "&fieldSelector=spec.nodeName%3Dnode-1"
            )
        }
    }

    @Test func `pods that were there before are listed`() async throws {
        try await Self.follow { server in
            server.put(TestPod.object("cart"))
            server.put(TestPod.object("web"))
        } body: { server, notices in
            try await eventually("a watch") { server.watchCount == 1 }

            #expect(Self.summary(notices).prefix(4) == ["list", "listed cart", "listed web", "end"])
        }
    }

    @Test func `an agent that starts before its server knows the pods once it is there`() async throws {
        try await Self.follow { server in
            server.put(TestPod.object("cart"))
            server.always(.cut)
        } body: { server, notices in
            try await eventually("an interruption") { Self.summary(notices).contains("! disconnected") }
            server.behave()
            try await eventually("a watch") { server.watchCount == 1 }

            #expect(Self.summary(notices).contains("listed cart"))
        }
    }

    @Test func `a cut watch goes on from the last bookmark`() async throws {
        try await Self.follow { server, notices in
            try await eventually("a watch") { server.watchCount == 1 }
            server.bookmark()
            server.put(TestPod.object("cart"))
            try await eventually("cart") { Self.summary(notices).last == "changed cart" }
            server.bookmark()
            server.cutWatches()
            server.put(TestPod.object("web"))
            try await eventually("web") { Self.summary(notices).last == "changed web" }

            #expect(server.count("GET", containing: "resourceVersion=0") == 1)
            #expect(server.requests.last?.query["resourceVersion"] == "1003")
            #expect(Self.summary(notices).filter { $0 == "changed cart" }.count == 1)
        }
    }

    @Test func `a silent watch goes on from the last bookmark`() async throws {
        var limits = KubernetesClient.Limits.patient
        limits.watchSilence = .milliseconds(300)
        try await Self.follow(limits: limits) { server, notices in
            try await eventually("a watch") { server.watchCount == 1 }
            server.bookmark()
            try await eventually("a silence") { Self.summary(notices).contains("! silent") }
            try await eventually("a watch from the bookmark") { server.count("GET", containing: "=1001&") > 0 }

            #expect(server.count("GET", containing: "resourceVersion=0") == 1)
        }
    }

    @Test func `a watch is not silent while bookmarks come`() async throws {
        var limits = KubernetesClient.Limits.patient
        limits.watchSilence = .seconds(3)
        try await Self.follow(limits: limits) { server, notices in
            try await eventually("a watch") { server.watchCount == 1 }
            let end = ContinuousClock.now + .seconds(4)
            while ContinuousClock.now < end {
                server.bookmark()
                try await Task.sleep(for: .milliseconds(20))
            }

            #expect(Self.summary(notices) == ["list", "end", "healthy", "healthy"])
        }
    }

    @Test func `an expired watch lists again, and not from a cache`() async throws {
        try await Self.follow { server, notices in
            try await eventually("a watch") { server.watchCount == 1 }
            server.put(TestPod.object("cart"))
            try await eventually("cart") { Self.summary(notices).last == "changed cart" }
            server.expireVersions()
            server.cutWatches()
            try await eventually("another list") { Self.summary(notices).filter { $0 == "list" }.count == 2 }
            try await eventually("another watch") { server.watchCount == 1 }

            let lists = server.requests.filter { request in !request.isWatch }
            #expect(lists.map { $0.query["resourceVersion"] } == ["0", nil])
            #expect(Self.summary(notices).contains("! expired"))
        }
    }

    @Test(arguments: [
        (ScriptedAnswer.status(429, reason: "TooManyRequests"), "! throttled"),
        (.status(500, reason: "InternalError"), "! failed"), (.status(503), "! failed"), (.cut, "! disconnected"),
        (.status(403, reason: "Forbidden"), "! forbidden"), (.status(401, reason: "Unauthorized"), "! forbidden"),
        (.body(Array("<html>".utf8)), "! unreadable"), (.garbage, "! unreadable"), (.hang, "! silent"),
    ])
    func `what goes wrong is told and tried again`(answer: ScriptedAnswer, expected: String) async throws {
        var limits = KubernetesClient.Limits.patient
        if case .hang = answer { limits.request = .milliseconds(300) }
        try await Self.follow(limits: limits) { server, notices in
            try await eventually("a watch") { server.watchCount == 1 }
            server.always(answer)
            server.cutWatches()
            try await eventually(expected) { Self.summary(notices).contains(expected) }
            server.behave()
            try await eventually("health") { Self.summary(notices).last == "healthy" && server.watchCount == 1 }
            server.put(TestPod.object("cart"))
            try await eventually("cart") { Self.summary(notices).last == "changed cart" }
        }
    }

    @Test func `a fresh token goes on with the watch`() async throws {
        let files = MemoryFiles(["/token": Array("t1".utf8)])
        try await Self.follow(files: files) { server, notices in
            try await eventually("a watch") { server.watchCount == 1 }
            server.accept(tokens: ["t2"])
            files.set("/token", "t2")
            server.cutWatches()
            try await eventually("another watch") { server.watchCount == 1 }

            #expect(!Self.summary(notices).contains("! forbidden"))
        }
    }

    @Test func `a line that is no event leads to a new list`() async throws {
        try await Self.follow { server, notices in
            try await eventually("a watch") { server.watchCount == 1 }
            server.sendToWatches(Array("<html>".utf8))
            try await eventually("another list") { Self.summary(notices).filter { $0 == "list" }.count == 2 }

            #expect(Self.summary(notices).contains("! unreadable"))
        }
    }

    @Test func `an unknown event is passed over`() async throws {
        try await Self.follow { server, notices in
            try await eventually("a watch") { server.watchCount == 1 }
            server.sendToWatches(Array(#"{"type":"SYNCED","object":{}}"#.utf8))
            server.put(TestPod.object("cart"))
            try await eventually("cart") { Self.summary(notices).last == "changed cart" }

            #expect(server.requests.count == 2)
        }
    }

    @Test func `one object that cannot be read does not hide the others`() async throws {
        let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        let list = #"{"metadata":{"resourceVersion":"1000"},"items":[\#(deep),{"metadata":{"name":"cart"}}]}"#
        try await Self.follow { server in
            server.script([.body(Array(list.utf8))], containing: "resourceVersion=0")
        } body: { server, notices in
            try await eventually("a watch") { server.watchCount == 1 }

            #expect(Self.summary(notices).prefix(4) == ["list", "unreadable", "listed cart", "end"])
        }
    }

    @Test func `a flood of changes arrives whole and in order`() async throws {
        try await Self.follow { server, notices in
            try await eventually("a watch") { server.watchCount == 1 }
            for index in 0..<5_000 { server.put(TestPod.object("p\(index)")) }
            try await eventually("the last") { Self.summary(notices).last == "changed p4999" }

            let changes = Self.summary(notices).filter { $0.hasPrefix("changed") }
            #expect(changes.count == 5_000)
            #expect(changes == changes.indices.map { "changed p\($0)" })
            #expect(server.requests.count == 2)
        }
    }
}
