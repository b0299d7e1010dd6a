package import CNIProtocol
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// A real HTTP server that behaves as the recordings of an API server say, and worse where a test wants it.
///
/// ```swift
/// try await ScriptedServer.run { server in
///     server.put(TestPod.object("cart", namespace: "shop"))
///     server.script([.status(429, retryAfter: 1), .hang], for: "GET", containing: "/pods/cart")
///     // Call it at 127.0.0.1:server.port, then look at server.requests.
/// }
/// ```
package final class ScriptedServer: Sendable {
    package let port: Int
    private let channel: any Channel
    private let connections: Connections
    let state: Mutex<State>

    struct State {
        var cluster = ClusterState()
        var requests: [ReceivedRequest] = []
        var scripts: [Script] = []
        var watches: [Watch] = []
        var tokens: Set<String>?
        var reactions: [Reaction] = []
    }

    /// What a controller of a cluster does about a change that a client has made: objects to put, nil to remove, by path.
    package typealias Reaction =
        @Sendable (_ path: String, _ object: JSONValue, _ isDeleted: Bool) -> [(
            path: String, object: JSONValue?
        )]

    /// What happens to the next requests of a kind.
    struct Script {
        let method: String?
        let text: String
        var answers: [ScriptedAnswer]
        /// Whether the last answer holds for all that follow.
        let isForGood: Bool
    }

    struct Watch: Sendable {
        let channel: any Channel
        let selection: Selection
    }

    private init(port: Int, channel: any Channel, connections: Connections) {
        self.port = port
        self.channel = channel
        self.state = Mutex(State())
        self.connections = connections
        connections.server.withLock { server in server = self }
    }

    /// Runs a server on a port of its own until `body` returns.
    package static func run<Value>(
        certificates: TestCertificates? = nil,
        host: String = "127.0.0.1",
        _ body: (ScriptedServer) async throws -> Value
    ) async throws -> Value {
        let server = try await start(certificates: certificates, host: host)
        let result: Value
        do {
            result = try await body(server)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
        return result
    }

    package static func start(
        certificates: TestCertificates? = nil,
        host: String = "127.0.0.1",
        port: Int = 0
    ) async throws -> ScriptedServer {
        let connections = Connections()
        let context = try certificates.map { certificates in try certificates.serverContext() }
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    connections.add(channel)
                    let pipeline = channel.pipeline.syncOperations
                    if let context { try pipeline.addHandler(NIOSSLServerHandler(context: context)) }
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(ScriptedConnection(connections))
                }
            }
            .bind(host: host, port: port).get()
        return ScriptedServer(port: channel.localAddress?.port ?? 0, channel: channel, connections: connections)
    }

    /// Stops listening and ends every connection.
    package func stop() async {
        // A channel that is closed already says so, and is what is wanted.
        try? await channel.close().get()
        connections.end()
    }

    // MARK: Objects

    /// Adds an object or replaces it; watches see it.
    package func put(_ object: JSONValue, resource: String = "pods", group: String = "/api/v1") {
        let namespace = object.value(at: ["metadata", "namespace"])?.string ?? "default"
        let name = object.value(at: ["metadata", "name"])?.string ?? ""
        put(object, at: "\(group)/namespaces/\(namespace)/\(resource)/\(name)")
    }

    package func put(_ object: JSONValue, at path: String) {
        state.withLock { state in
            let change = state.cluster.put(object, at: path)
            Self.announce(change, &state)
        }
    }

    package func remove(_ path: String) {
        state.withLock { state in
            if let change = state.cluster.remove(path) { Self.announce(change, &state) }
        }
    }

    /// The object at a path as it is now: `/api/v1/namespaces/shop/pods/cart`.
    package func object(at path: String) -> JSONValue? {
        state.withLock { state in state.cluster.objects[path] }
    }

    /// All Events, in the order of their names.
    package var events: [JSONValue] {
        state.withLock { state in
            state.cluster.objects.filter { path, _ in path.contains("/events/") }
                .sorted { left, right in left.key < right.key }.map(\.value)
        }
    }

    // MARK: Behaviour

    /// What happens to the next requests whose method is this and whose target has this in it; then all is normal again.
    package func script(_ answers: [ScriptedAnswer], for method: String? = nil, containing text: String = "") {
        let script = Script(method: method, text: text, answers: answers, isForGood: false)
        state.withLock { state in state.scripts.append(script) }
    }

    /// The same for all requests from now on, until ``behave()``.
    package func always(_ answer: ScriptedAnswer, for method: String? = nil, containing text: String = "") {
        let script = Script(method: method, text: text, answers: [answer], isForGood: true)
        state.withLock { state in state.scripts.append(script) }
    }

    /// Forgets all scripts.
    package func behave() { state.withLock { state in state.scripts = [] } }

    /// Takes only these tokens from now on; nil takes any.
    package func accept(tokens: Set<String>?) { state.withLock { state in state.tokens = tokens } }

    /// Does this after every change by a client, as a controller of a cluster would.
    package func react(_ reaction: @escaping Reaction) { state.withLock { state in state.reactions.append(reaction) } }

    // MARK: Watches

    package var watchCount: Int { state.withLock { state in state.watches.filter(\.channel.isActive).count } }

    /// Tells each watch that nothing else has happened up to now.
    package func bookmark() {
        state.withLock { state in
            let version = state.cluster.advance()
            let line =
                #"{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"#
                + "\"\(version)\"" + #","creationTimestamp":null}}}"#
            for watch in state.watches { ScriptedConnection.send(line: Array(line.utf8), to: watch.channel) }
        }
    }

    /// Sends bytes to each watch as they are, a newline behind them.
    package func sendToWatches(_ line: [UInt8]) {
        state.withLock { state in
            for watch in state.watches { ScriptedConnection.send(line: line, to: watch.channel) }
        }
    }

    /// Ends each watch as a server does whose time is over.
    package func endWatches() {
        state.withLock { state in
            for watch in state.watches { ScriptedConnection.end(watch.channel) }
            state.watches = []
        }
    }

    /// Closes the connections of all watches in the middle of the answer.
    package func cutWatches() {
        state.withLock { state in
            for watch in state.watches { ScriptedConnection.close(watch.channel) }
            state.watches = []
        }
    }

    /// Forgets all changes up to now: a watch from an older version gets the error 410.
    package func expireVersions() {
        state.withLock { state in state.cluster.oldestVersion = state.cluster.advance() }
    }

    // MARK: What was asked

    package var requests: [ReceivedRequest] { state.withLock { state in state.requests } }

    package func count(_ method: String, containing text: String = "") -> Int {
        requests.filter { request in request.method == method && request.target.contains(text) }.count
    }

    /// Announces a client's change, and what controllers make of it.
    static func follow(_ change: ClusterState.Change, _ state: inout State) {
        announce(change, &state)
        for reaction in state.reactions {
            for (path, object) in reaction(change.path, change.object, change.type == "DELETED") {
                guard let made = object.map({ state.cluster.put($0, at: path) }) ?? state.cluster.remove(path) else {
                    continue
                }
                announce(made, &state)
            }
        }
    }

    static func announce(_ change: ClusterState.Change, _ state: inout State) {
        state.watches.removeAll { watch in !watch.channel.isActive }
        for watch in state.watches where watch.selection.contains(change.object, at: change.path) {
            ScriptedConnection.send(line: change.line, to: watch.channel)
        }
    }
}

extension ClusterState.Change {
    /// The change as a line of a watch.
    var line: [UInt8] { JSONValue.object([JSONMember("type", .string(type)), JSONMember("object", object)]).bytes() }
}
