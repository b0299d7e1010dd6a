internal import AsyncHTTPClient
package import CNIProtocol
internal import NIOCore
internal import NIOHTTP1

/// The few requests to the API server that an agent sends.
///
/// Each has a time limit and a limit on its answer. A 401 reads the token again at once, and the request goes out once more.
package final class KubernetesClient: Sendable {
    package struct Limits: Sendable {
        /// From the first byte of a request to the last of its answer.
        ///
        /// The API server's own limit for most is 60 s; no caller here can wait for so long.
        package var request = Duration.seconds(10)

        /// The same for a list: 50 MB at 1 MB a second, twice.
        package var list = Duration.seconds(120)

        /// How much longer than asked for a watch may last.
        package var watchGrace = Duration.seconds(30)

        /// How long a watch may bring nothing: a server sends a bookmark about once a minute, so two are missing and more.
        ///
        /// It need not send any (KEP-956). A quiet watch is then begun again from the last version that is known, which
        /// costs one request and loses nothing.
        package var watchSilence = Duration.seconds(150)

        package init() {}
    }

    /// The largest object that is read, in bytes: etcd takes no request over 1.5 MiB by default.
    fileprivate static let largestObjectBytes = 4 * 1_024 * 1_024

    /// What is read of a refusal, in bytes: the rest is not worth waiting for.
    private static let largestRefusalBytes = 64 * 1_024

    package enum PatchType: String, Sendable {
        /// RFC 7396.
        case merge = "application/merge-patch+json"
        /// Kubernetes' own: lists of objects are merged by their keys.
        case strategicMerge = "application/strategic-merge-patch+json"
    }

    /// What must still hold for an object that is deleted.
    package struct Preconditions: Equatable, Sendable {
        package var uid: String
        package var version: ResourceVersion?

        package init(uid: String, version: ResourceVersion? = nil) {
            self.uid = uid
            self.version = version
        }
    }

    private let connection: ServerConnection
    private let account: ServiceAccount
    private let userAgent: String
    private let limits: Limits

    package init(
        server: ServerAddress,
        account: ServiceAccount,
        resolver: NameResolver,
        userAgent: String,
        limits: Limits = Limits()
    ) {
        connection = ServerConnection(server: server, resolver: resolver)
        self.account = account
        self.userAgent = userAgent
        self.limits = limits
    }

    /// Ends all requests and connections; the client can send no more.
    package func shutDown() async { await connection.shutDown() }

    package func get(_ path: ResourcePath, within limit: Duration? = nil) async throws(APIError) -> JSONValue {
        try await object(Call(.GET, path.text), within: limit ?? limits.request)
    }

    /// Changes an object, and returns it as it is then.
    @discardableResult
    package func patch(
        _ path: ResourcePath,
        with patch: JSONValue,
        as type: PatchType
    ) async throws(APIError) -> JSONValue {
        let call = Call(.PATCH, path.text, body: patch.bytes(), contentType: type.rawValue)
        return try await object(call, within: limits.request)
    }

    /// Creates an object in a collection, and returns it as it is then.
    @discardableResult
    package func create(_ object: JSONValue, in path: ResourcePath) async throws(APIError) -> JSONValue {
        let call = Call(.POST, path.text, body: object.bytes(), contentType: "application/json")
        return try await self.object(call, within: limits.request)
    }

    /// Deletes an object if it is still the one that is meant: else a 409 is thrown.
    package func delete(_ path: ResourcePath, if preconditions: Preconditions) async throws(APIError) {
        var members = [JSONMember("uid", .string(preconditions.uid))]
        if let version = preconditions.version {
            members.append(JSONMember("resourceVersion", .string(version.rawValue)))
        }
        let options = JSONValue.object([
            JSONMember("kind", .string("DeleteOptions")), JSONMember("apiVersion", .string("v1")),
            JSONMember("preconditions", .object(members)),
        ])
        let call = Call(.DELETE, path.text, body: options.bytes(), contentType: "application/json")
        _ = try await object(call, within: limits.request)
    }

    /// Lists objects; each item is handed over as it arrives, as its bytes, and is in memory no longer than that.
    package func list(
        _ query: ObjectQuery,
        _ freshness: ListWatch.Freshness,
        item: @escaping @Sendable ([UInt8]) -> Void
    ) async throws(APIError) -> ListMetadata {
        try await perform(Call(.GET, query.path.text), within: limits.list) { [self] route in
            var continuation: String?
            while true {
                let call = Call(.GET, query.listTarget(freshness, continuation: continuation))
                let metadata = try await page(call, route, item)
                guard let next = metadata.continuation else { return metadata }
                continuation = next
            }
        }
    }

    private func page(
        _ call: Call,
        _ route: Route,
        _ item: @Sendable ([UInt8]) -> Void
    ) async throws -> ListMetadata {
        var decoder = ListDecoder()
        for try await chunk in try await open(call, route).body {
            for bytes in try decoder.append(Array(chunk.readableBytesView)) { item(bytes) }
        }
        try Task.checkCancellation()
        return try decoder.finish()
    }

    /// Hands over what changes from a version on, until the server ends the watch, which it is asked to do after some time.
    ///
    /// `opened` is called once the server has accepted the watch, then `event` with each event but an error, which is
    /// thrown. A watch that brings nothing for ``Limits/watchSilence`` is given up: a server that is frozen, or a
    /// balancer before one that is gone, keeps the connection open.
    package func watch(
        _ query: ObjectQuery,
        from version: ResourceVersion,
        seconds: Int,
        opened: @escaping @Sendable () -> Void,
        event: @escaping @Sendable (WatchEvent) -> Void
    ) async throws(APIError) {
        let call = Call(.GET, query.watchTarget(from: version, seconds: seconds))
        // The server ends the watch itself, so one that lasts longer is one that nobody serves any more.
        try await perform(call, within: .seconds(seconds) + limits.watchGrace) { [self] route in
            let response = try await withTimeLimit(limits.request) { [self] in try await open(call, route) }
            opened()
            try await withSilenceLimit(limits.watchSilence) { heard in
                var decoder = LineDecoder()
                for try await chunk in response.body {
                    heard()
                    for line in try decoder.append(Array(chunk.readableBytesView)) {
                        let change = try WatchEvent(line: line)
                        if case .error(let status) = change { throw APIError(call.text, .status(status)) }
                        event(change)
                    }
                }
                try Task.checkCancellation()
                guard !decoder.isInsideLine else { throw StreamError("the watch ends in the middle of a line") }
            }
        }
    }

    private func object(_ call: Call, within limit: Duration) async throws(APIError) -> JSONValue {
        try await perform(call, within: limit) { [self] route in
            let body = try await open(call, route).body.collect(upTo: Self.largestObjectBytes)
            return try JSONValue(parsing: Array(body.readableBytesView))
        }
    }

    /// Runs a request within its time, and makes whatever it throws an ``APIError``.
    private func perform<Value: Sendable>(
        _ call: Call,
        within limit: Duration,
        _ body: @escaping @Sendable (Route) async throws -> Value
    ) async throws(APIError) -> Value {
        let route = Route()
        do {
            return try await withTimeLimit(limit) { try await body(route) }
        } catch {
            // The request itself was only cancelled, and cannot tell that from the end of the agent.
            if error is TimeLimitReached || error is SilenceLimitReached { connection.failed(route) }
            throw (error as? APIError) ?? APIError(call.text, APIError.Problem(error))
        }
    }

    /// Sends a request, and returns once an answer has begun that is what was asked for.
    private func open(_ call: Call, _ route: Route) async throws -> HTTPClientResponse {
        var response = try await send(call, route)
        // The token may just have been replaced; `send` reads it again.
        if response.status == .unauthorized { response = try await send(call, route) }
        guard !(200..<300).contains(response.status.code) else { return response }
        throw APIError(call.text, .status(await Self.refusal(response)))
    }

    private func send(_ call: Call, _ route: Route) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: connection.server.url + call.target)
        request.method = call.method
        request.headers = [
            "Accept": "application/json", "User-Agent": userAgent, "Authorization": "Bearer \(try account.token())",
        ]
        if let body = call.body {
            request.headers.add(name: "Content-Type", value: call.contentType)
            request.body = .bytes(body)
        }
        if connection.server.scheme == .https { request.tlsConfiguration = try account.tlsConfiguration() }
        return try await connection.execute(request, route)
    }

    private static func refusal(_ response: HTTPClientResponse) async -> APIStatus {
        let code = Int(response.status.code)
        var status = APIStatus(code: code)
        do {
            let body = try await response.body.collect(upTo: largestRefusalBytes)
            status = APIStatus(try JSONValue(parsing: Array(body.readableBytesView)), code: code)
        } catch {
            status.message = "\(response.status.reasonPhrase) (without a Status that can be read)"
        }
        if let seconds = response.headers.first(name: "Retry-After").flatMap({ text in Int(text) }), seconds >= 0 {
            status.retryAfter = .seconds(min(seconds, longestRetryAfterSeconds))
        }
        return status
    }

    /// Far over what any caller waits for, and far from an overflow.
    private static let longestRetryAfterSeconds = 86_400
}

/// One request.
private struct Call: Sendable {
    let method: HTTPMethod
    let target: String
    let body: [UInt8]?
    let contentType: String

    init(_ method: HTTPMethod, _ target: String, body: [UInt8]? = nil, contentType: String = "") {
        self.method = method
        self.target = target
        self.body = body
        self.contentType = contentType
    }

    var text: String { "\(method.rawValue) \(target)" }
}

extension APIError.Problem {
    /// The one place where the errors of other parts get their meaning for a caller.
    fileprivate init(_ error: any Error) {
        switch error {
        case let error as APIError: self = error.problem
        case let error as ConfigurationError: self = .unconfigured(error)
        case let error as NameError: self = .unreachable(error.description)
        case let error as StreamError: self = .unreadable(error.description)
        case let error as JSONError: self = .unreadable(error.description)
        case is NIOTooManyBytesError: self = .unreadable("more than \(KubernetesClient.largestObjectBytes) bytes")
        case HTTPParserError.invalidEOFState: self = .unreachable("the connection was cut in the middle of the answer")
        case let error as HTTPParserError: self = .unreadable("no HTTP: \(error)")
        case let error as TimeLimitReached: self = .timedOut(after: error.limit)
        case let error as SilenceLimitReached: self = .fellSilent(after: error.limit)
        case is CancellationError: self = .cancelled
        case let error as HTTPClientError where error == .cancelled:
            self = Task.isCancelled ? .cancelled : .unreachable("the connection was given up for another address")
        default: self = .unreachable("\(error)")
        }
    }
}
