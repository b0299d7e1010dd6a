import CNIProtocol
import Foundation
import HTTPTestSupport
import Kubernetes
import Testing

/// What a real API server said (`Tests/Recordings/api`), read by this client.
@Suite struct RecordedAPITests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Recordings/api")
        .standardized

    struct Exchange {
        let request: JSONValue
        let status: Int
        let body: JSONValue

        var path: String { request["path"]?.string ?? "" }
        var sentBody: JSONValue? { request["body"]?.string.flatMap { try? JSONValue(parsing: Array($0.utf8)) } }
    }

    static func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: folder.appending(path: name))) }

    static func exchange(_ name: String) throws -> Exchange {
        let document = try JSONValue(parsing: try bytes("api-\(name).json"))
        return Exchange(
            request: try #require(document["request"]),
            status: try #require(document["response"]?["status"]?.integer),
            body: try #require(document["response"]?["body"])
        )
    }

    /// Answers the next request as recorded.
    static func replay(_ exchange: Exchange, on server: ScriptedServer) {
        server.script([.json(exchange.body, status: exchange.status)])
    }

    @Test(arguments: [
        ("get-pod-missing", 404, "NotFound", "pods \"nope\" not found"),
        ("unauthorized", 401, "Unauthorized", "Unauthorized"),
        ("list-bad-field", 400, "BadRequest", "field label not supported: spec.foo"),
    ])
    func `refusals carry the server's words`(name: String, code: Int, reason: String, message: String) async throws {
        let exchange = try Self.exchange(name)
        try await ScriptedServer.runWithClient { server, client in
            // A 401 is asked twice.
            Self.replay(exchange, on: server)
            Self.replay(exchange, on: server)
            let pod = try #require(ResourcePath.pod("nope", in: "default"))

            let error = await #expect(throws: APIError.self) { try await client.get(pod) }

            #expect(error?.status == APIStatus(code: code, reason: reason, message: message))
        }
    }

    @Test func `a list of a node is cut into its pods`() async throws {
        let exchange = try Self.exchange("list-node")
        try await ScriptedServer.runWithClient { server, client in
            Self.replay(exchange, on: server)
            let items = Recorder<[UInt8]>()

            let metadata = try await client.list(.pods(onNode: "ghost"), .anyAge) { item in items.add(item) }

            let pods = try items.all.map { bytes in try JSONValue(parsing: bytes) }
            #expect(pods.count == 1)
            #expect(pods == exchange.body["items"]?.array)
            #expect(metadata.version == "1558")
        }
    }

    @Test(arguments: [("delete-ok", Int?.none), ("delete-stale-rv", 409), ("delete-wrong-uid", 409)])
    func `preconditions are sent as recorded, and judged so`(name: String, code: Int?) async throws {
        let exchange = try Self.exchange(name)
        let wanted = try #require(exchange.sentBody?["preconditions"])
        let preconditions = KubernetesClient.Preconditions(
            uid: try #require(wanted["uid"]?.string),
            version: wanted["resourceVersion"]?.string.map { ResourceVersion($0) }
        )
        try await ScriptedServer.runWithClient { server, client in
            Self.replay(exchange, on: server)
            let pod = try #require(ResourcePath.pod("api-demo", in: "default"))
            var status: Int?

            do throws(APIError) {
                try await client.delete(pod, if: preconditions)
            } catch {
                status = error.status?.code
            }

            #expect(status == code)
            let request = try #require(server.requests.first)
            #expect(request.target == exchange.path)
            #expect(request.body["preconditions"] == wanted)
        }
    }

    @Test(arguments: [
        ("patch-status-label", KubernetesClient.PatchType.merge), ("patch-annotation-smp", .strategicMerge),
    ])
    func `patches are sent as recorded`(name: String, type: KubernetesClient.PatchType) async throws {
        let exchange = try Self.exchange(name)
        try await ScriptedServer.runWithClient { server, client in
            Self.replay(exchange, on: server)
            let path = try #require(ResourcePath.podStatus("api-demo", in: "default"))

            let changed = try await client.patch(path, with: try #require(exchange.sentBody), as: type)

            #expect(changed == exchange.body)
            #expect(server.requests.first?.target == exchange.path)
            #expect(server.requests.first?.headers["content-type"] == exchange.request["contentType"]?.string)
            #expect(server.requests.first?.body == exchange.sentBody)
        }
    }

    @Test func `a recorded watch runs through the machine, and the next begins where it ended`() throws {
        var machine = ListWatch(random: { 1 })
        _ = machine.listed(at: "416")
        var decoder = LineDecoder()
        var kinds: [String] = []

        for line in try decoder.append(Self.bytes("pod-watch-failing-validation.ndjson")) {
            switch try WatchEvent(line: line) {
            case .changed(_, let version):
                kinds.append("changed")
                machine.advanced(to: version)
            case .deleted(_, let version):
                kinds.append("deleted")
                machine.advanced(to: version)
            case .bookmark(let version):
                kinds.append("bookmark")
                machine.advanced(to: version)
            case .error, .unknown: Issue.record("not in the recording")
            }
        }

        #expect(kinds.count == 20)
        #expect(kinds.filter { $0 == "changed" }.count == 16)
        #expect(kinds.suffix(3) == ["deleted", "bookmark", "bookmark"])
        #expect(machine.interrupted(by: .ended, lasted: .seconds(300)) == .watch(from: "484", seconds: 601))
    }

    @Test func `a recorded expiry leads to a new list`() throws {
        var machine = ListWatch(random: { 1 })
        _ = machine.listed(at: "1")
        machine.advanced(to: "2")
        let event = try WatchEvent(line: Self.exchange("watch-expired").body.bytes())

        guard case .error(let status) = event else {
            Issue.record("\(event)")
            return
        }

        #expect(status.message == "too old resource version: 1 (1426)")
        #expect(machine.interrupted(by: Interruption(status), lasted: .zero) == .list(.mostRecent))
    }

    @Test func `a list as kubectl prints it is decoded`() throws {
        var decoder = ListDecoder()

        let items = try decoder.append(Self.bytes("pod-list.json"))

        let names = try items.map { bytes in try JSONValue(parsing: bytes)["metadata"]?["name"]?.string }
        #expect(names.first == "t1")
        #expect(try decoder.finish().version == "416")
    }
}
