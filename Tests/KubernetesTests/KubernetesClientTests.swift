import CNIProtocol
import HTTPTestSupport
import Kubernetes
import Testing

@Suite struct KubernetesClientTests {
    static func pod() throws -> ResourcePath { try #require(ResourcePath.pod("cart", in: "shop")) }

    /// A client for which a server that says nothing is away soon.
    static var impatient: KubernetesClient.Limits {
        var limits = KubernetesClient.Limits()
        limits.request = .milliseconds(300)
        limits.list = .milliseconds(300)
        limits.watchGrace = .milliseconds(300)
        return limits
    }

    @Test func `a request says who asks`() async throws {
        try await ScriptedServer.runWithClient { server, client in
            server.put(TestPod.object("cart"))

            let pod = try await client.get(Self.pod())

            #expect(pod["metadata"]?["name"] == .string("cart"))
            let request = try #require(server.requests.first)
            #expect(request.target == "/api/v1/namespaces/shop/pods/cart")
            #expect(request.headers["authorization"] == "Bearer t1")
            #expect(request.headers["user-agent"] == "istio-cni/test")
            #expect(request.headers["host"] == "127.0.0.1:\(server.port)")
        }
    }

    @Test(arguments: [403, 404, 409, 410, 429, 500, 503])
    func `a refusal is what the server says`(code: Int) async throws {
        try await ScriptedServer.runWithClient { server, client in
            server.script([.status(code, reason: "Word", message: "a sentence", retryAfter: 3)])

            let error = await #expect(throws: APIError.self) { try await client.get(Self.pod()) }

            #expect(error?.request == "GET /api/v1/namespaces/shop/pods/cart")
            let expected = APIStatus(code: code, reason: "Word", message: "a sentence", retryAfter: .seconds(3))
            #expect(error?.status == expected)
        }
    }

    @Test func `a refusal without a Status is one`() async throws {
        try await ScriptedServer.runWithClient { server, client in
            server.script([.body(Array("<html>".utf8), status: 502)])

            let error = await #expect(throws: APIError.self) { try await client.get(Self.pod()) }

            #expect(error?.status?.code == 502)
            #expect(error?.description.contains("502: Bad Gateway") == true)
        }
    }

    @Test func `a refused token is read again at once, and the request goes out once more`() async throws {
        let files = MemoryFiles(["/token": Array("old".utf8)])
        try await ScriptedServer.runWithClient(files: files) { server, client in
            server.put(TestPod.object("cart"))
            server.accept(tokens: ["fresh"])
            let error = await #expect(throws: APIError.self) { try await client.get(Self.pod()) }
            #expect(error?.status?.code == 401)
            #expect(server.requests.count == 2)

            files.set("/token", "fresh")

            _ = try await client.get(Self.pod())
            #expect(server.requests.last?.headers["authorization"] == "Bearer fresh")
        }
    }

    @Test func `a missing token is an error that names the file, and nothing is sent`() async throws {
        try await ScriptedServer.runWithClient(files: MemoryFiles()) { server, client in
            let error = await #expect(throws: APIError.self) { try await client.get(Self.pod()) }

            guard case .unconfigured(let missing) = error?.problem else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(missing.subject == "/token")
            #expect(server.requests.isEmpty)
        }
    }

    @Test(arguments: [ScriptedAnswer.hang, .cut, .half, .garbage])
    func `a server that does not answer is an error in time`(answer: ScriptedAnswer) async throws {
        var limits = KubernetesClient.Limits.patient
        if case .hang = answer { limits = Self.impatient }
        try await ScriptedServer.runWithClient(limits: limits) { server, client in
            server.script([answer])

            let error = await #expect(throws: APIError.self) { try await client.get(Self.pod()) }

            switch (answer, error?.problem) {
            case (.hang, .timedOut(after: .milliseconds(300))), (.cut, .unreachable), (.half, .unreachable),
                (.garbage, .unreadable):
                break
            default: Issue.record("\(answer): \(String(describing: error))")
            }
        }
    }

    @Test func `an answer that does not end is an error in time`() async throws {
        try await ScriptedServer.runWithClient(limits: Self.impatient) { server, client in
            server.script([.stream { _ in [0x20] }])

            let error = await #expect(throws: APIError.self) { try await client.get(Self.pod()) }

            switch error?.problem {
            case .timedOut, .unreadable: break
            default: Issue.record("\(String(describing: error))")
            }
        }
    }

    @Test func `an answer that is no JSON, or too large, cannot be read`() async throws {
        try await ScriptedServer.runWithClient { server, client in
            let piece = [UInt8](repeating: 0x20, count: 1_024 * 1_024)
            server.script([.body(Array("<html>".utf8)), .stream { index in index < 5 ? piece : nil }])

            let first = await #expect(throws: APIError.self) { try await client.get(Self.pod()) }
            let second = await #expect(throws: APIError.self) { try await client.get(Self.pod()) }

            #expect(first?.problem == .unreadable("at byte 0: expected a value"))
            #expect(second?.problem == .unreadable("more than 4194304 bytes"))
        }
    }

    @Test func `a server that nobody runs cannot be reached`() async throws {
        // A port of a server that is gone.
        let port = try await ScriptedServer.run { server in server.port }
        let address = try ServerAddress(scheme: .http, host: "127.0.0.1", port: port)
        try await ScriptedServer.withClient(of: address, files: MemoryFiles(["/token": [0x61]])) { client in
            let error = await #expect(throws: APIError.self) { try await client.get(Self.pod()) }

            guard case .unreachable = error?.problem else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }

    @Test func `a redirection is a refusal, since it would take the token elsewhere`() async throws {
        try await ScriptedServer.runWithClient { server, client in
            server.script([.status(307)])

            let error = await #expect(throws: APIError.self) { try await client.get(Self.pod()) }

            #expect(error?.status?.code == 307)
            #expect(server.requests.count == 1)
        }
    }

    @Test func `IPv6 addresses get brackets`() async throws {
        try await ScriptedServer.run(host: "::1") { server in
            server.put(TestPod.object("cart"))
            let address = try ServerAddress(scheme: .http, host: "::1", port: server.port)
            try await ScriptedServer.withClient(of: address, files: MemoryFiles(["/token": [0x61]])) { client in
                _ = try await client.get(Self.pod())
            }
            #expect(server.requests.first?.headers["host"] == "[::1]:\(server.port)")
        }
    }

    @Test(arguments: [KubernetesClient.PatchType.merge, .strategicMerge])
    func `a patch changes labels through the status subresource`(type: KubernetesClient.PatchType) async throws {
        try await ScriptedServer.runWithClient { server, client in
            server.put(TestPod.object("cart", labels: ["app": "shop"]))
            let path = try #require(ResourcePath.podStatus("cart", in: "shop"))
            let patch = try JSONValue(parsing: Array(#"{"metadata":{"labels":{"broken":"true"}}}"#.utf8))

            let changed = try await client.patch(path, with: patch, as: type)

            #expect(changed["metadata"]?["labels"]?.stringsByName == ["app": "shop", "broken": "true"])
            #expect(server.requests.first?.headers["content-type"] == type.rawValue)
            #expect(server.object(at: TestPod.path("cart")) == changed)
        }
    }

    @Test func `a pod is deleted only if it is still the same`() async throws {
        try await ScriptedServer.runWithClient { server, client in
            server.put(TestPod.object("cart", uid: "u1"))
            let version = try #require(
                server.object(at: TestPod.path("cart"))?["metadata"]?["resourceVersion"]?.string
            )

            let wrongUID = await #expect(throws: APIError.self) {
                try await client.delete(Self.pod(), if: .init(uid: "u2"))
            }
            let stale = await #expect(throws: APIError.self) {
                try await client.delete(Self.pod(), if: .init(uid: "u1", version: "1"))
            }
            try await client.delete(Self.pod(), if: .init(uid: "u1", version: ResourceVersion(version)))
            let gone = await #expect(throws: APIError.self) {
                try await client.delete(Self.pod(), if: .init(uid: "u1"))
            }

            #expect([wrongUID, stale, gone].map { $0?.status?.code } == [409, 409, 404])
            #expect(server.object(at: TestPod.path("cart")) == nil)
        }
    }

    @Test func `requests do not wait for one that hangs`() async throws {
        try await ScriptedServer.runWithClient { server, client in
            server.put(TestPod.object("cart"))
            server.script(Array(repeating: .hang, count: 8), containing: "/slow")
            let slow = try #require(ResourcePath.pod("slow", in: "shop"))
            let hanging = (0..<8).map { _ in Task { try await client.get(slow) } }
            while server.count("GET", containing: "/slow") < 8 { try await Task.sleep(for: .milliseconds(5)) }

            _ = try await client.get(Self.pod())

            for task in hanging { task.cancel() }
            for task in hanging {
                await #expect(throws: APIError("GET \(slow)", .cancelled)) { try await task.value }
            }
        }
    }

    @Test func `a watch that outlasts its time is over`() async throws {
        try await ScriptedServer.runWithClient(limits: Self.impatient) { server, client in
            let error = await #expect(throws: APIError.self) {
                try await client.watch(.pods(onNode: "n"), from: "1", seconds: 0) {
                } event: { _ in
                }
            }

            #expect(error?.problem == .timedOut(after: .milliseconds(300)))
        }
    }

    @Test func `a watch that brings nothing is given up, however long it was to last`() async throws {
        var limits = KubernetesClient.Limits.patient
        limits.watchSilence = .milliseconds(300)
        try await ScriptedServer.runWithClient(limits: limits) { server, client in
            let opened = Recorder<Bool>()
            let error = await #expect(throws: APIError.self) {
                try await client.watch(.pods(onNode: "n"), from: "1", seconds: 600) {
                    opened.add(true)
                } event: { _ in
                }
            }

            #expect(error?.problem == .fellSilent(after: .milliseconds(300)))
            #expect(opened.all == [true])
            #expect(error?.description.contains("has sent nothing for 0.3 seconds, not even a bookmark") == true)
        }
    }

    @Test func `a watch that ends in the middle of a line was cut`() async throws {
        try await ScriptedServer.runWithClient { server, client in
            server.script([.body(Array(#"{"type":"BOOKMARK""#.utf8))])

            let error = await #expect(throws: APIError.self) {
                try await client.watch(.pods(onNode: "n"), from: "1", seconds: 300) {
                } event: { _ in
                }
            }

            #expect(error?.problem == .unreadable("the watch ends in the middle of a line"))
        }
    }

    @Test func `lists follow the pages of a server`() async throws {
        try await ScriptedServer.runWithClient { server, client in
            let page = { (items: String, token: String) in
                ScriptedAnswer.body(
                    Array(#"{"metadata":{"resourceVersion":"5","continue":"\#(token)"},"items":[\#(items)]}"#.utf8)
                )
            }
            server.script([page("1,2", "a/b"), page("3", "")])
            let items = Recorder<[UInt8]>()

            let metadata = try await client.list(.pods(onNode: "n"), .anyAge) { item in items.add(item) }

            #expect(items.all == [[0x31], [0x32], [0x33]])
            #expect(metadata.version == "5")
            #expect(
                server.requests.map(\.target) == [
                    "/api/v1/pods?resourceVersion=0&fieldSelector=spec.nodeName%3Dn",
                    "/api/v1/pods?continue=a%2Fb&fieldSelector=spec.nodeName%3Dn",
                ]
            )
        }
    }
}
