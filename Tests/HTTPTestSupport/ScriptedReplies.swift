internal import CNIProtocol
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

extension ScriptedServer {
    /// What a connection carries out.
    enum Reply {
        case body(status: Int, [UInt8], HTTPHeaders)

        /// A body without a known end: lines that are there already, then what comes.
        case stream([[UInt8]], (@Sendable (Int) -> [UInt8]?)?)
        case half, garbage, hang, cut

        static func json(_ value: JSONValue, status: Int = 200) -> Reply { .body(status: status, value.bytes(), [:]) }

        static func refusal(_ code: Int, _ reason: String, _ message: String) -> Reply {
            .json(.status(code, reason: reason, message: message), status: code)
        }
    }

    /// Decides under the lock, and remembers the request.
    func answer(to request: ReceivedRequest, on channel: any Channel) -> Reply {
        state.withLock { state in
            state.requests.append(request)
            switch Self.scripted(request, &state) {
            case .normal: break
            case .status(let code, let reason, let message, let retryAfter):
                let status = JSONValue.status(code, reason: reason, message: message, retryAfter: retryAfter)
                let headers = retryAfter.map { seconds in HTTPHeaders([("Retry-After", String(seconds))]) }
                return .body(status: code, status.bytes(), headers ?? [:])
            case .body(let bytes, let status): return .body(status: status, bytes, [:])
            case .stream(let piece): return .stream([], piece)
            case .garbage: return .garbage
            case .hang: return .hang
            case .cut: return .cut
            case .half: return .half
            }
            if let tokens = state.tokens {
                let sent = request.headers["authorization"] ?? ""
                guard tokens.contains(where: { token in sent == "Bearer \(token)" }) else {
                    return .refusal(401, "Unauthorized", "Unauthorized")
                }
            }
            return Self.normal(request, channel, &state)
        }
    }

    private static func scripted(_ request: ReceivedRequest, _ state: inout State) -> ScriptedAnswer {
        let index = state.scripts.firstIndex { script in
            (script.method ?? request.method) == request.method
                && (script.text.isEmpty || request.target.contains(script.text)) && !script.answers.isEmpty
        }
        guard let index else { return .normal }
        if state.scripts[index].isForGood { return state.scripts[index].answers[0] }
        return state.scripts[index].answers.removeFirst()
    }

    private static func normal(_ request: ReceivedRequest, _ channel: any Channel, _ state: inout State) -> Reply {
        switch request.method {
        case "GET" where request.isWatch: watch(request, channel, &state)
        case "GET" where isCollection(request.path): list(request, state)
        case "GET":
            state.cluster.objects[request.path].map { object in .json(object) } ?? notFound(request.path)
        case "PATCH": patch(request, &state)
        case "DELETE": delete(request, &state)
        case "POST": create(request, &state)
        case "PUT": replace(request, &state)
        default: .refusal(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        }
    }

    /// A path with a kind at its end: `/api/v1/pods`, `/api/v1/namespaces/shop/pods`.
    private static func isCollection(_ path: String) -> Bool {
        APIResources.kind(of: path) != nil
    }

    private static func notFound(_ path: String) -> Reply {
        let parts = path.split(separator: "/")
        return .refusal(404, "NotFound", "\(parts.dropLast().last ?? "") \"\(parts.last ?? "")\" not found")
    }

    private static func list(_ request: ReceivedRequest, _ state: State) -> Reply {
        let selection = Selection(request)
        if let field = selection.unsupportedField {
            return .refusal(400, "BadRequest", "field label not supported: \(field)")
        }
        let items = state.cluster.objects.filter { path, object in selection.contains(object, at: path) }
            .sorted { left, right in left.key < right.key }
        return .json(
            .object([
                JSONMember("kind", .string("\(APIResources.kind(of: request.path) ?? "")List")),
                JSONMember("apiVersion", .string(APIResources.version(of: request.path))),
                JSONMember(
                    "metadata",
                    .object([JSONMember("resourceVersion", .string(String(state.cluster.version)))])
                ),
                JSONMember("items", .array(items.map(\.value))),
            ])
        )
    }

    private static func watch(_ request: ReceivedRequest, _ channel: any Channel, _ state: inout State) -> Reply {
        let version = Int(request.query["resourceVersion"] ?? "") ?? 0
        guard version >= state.cluster.oldestVersion else {
            let message = "too old resource version: \(version) (\(state.cluster.oldestVersion))"
            let error = JSONValue.object([
                JSONMember("type", .string("ERROR")),
                JSONMember("object", .status(410, reason: "Expired", message: message)),
            ])
            return .stream([error.bytes()]) { _ in nil }
        }
        let selection = Selection(request)
        let changes = state.cluster.changes.filter { change in
            change.version > version && selection.contains(change.object, at: change.path)
        }
        state.watches.append(Watch(channel: channel, selection: selection))
        return .stream(changes.map(\.line), nil)
    }

    private static func patch(_ request: ReceivedRequest, _ state: inout State) -> Reply {
        let path = request.path.hasSuffix("/status") ? String(request.path.dropLast("/status".count)) : request.path
        let isApplied = request.headers["content-type"] == "application/apply-patch+yaml"
        let types = ["application/merge-patch+json", "application/strategic-merge-patch+json"]
        guard isApplied || types.contains(request.headers["content-type"] ?? "") else {
            return .refusal(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
        }
        // Server-side apply makes what is not there.
        guard let object = state.cluster.objects[path] ?? (isApplied ? .object([]) : nil) else { return notFound(path) }
        let isStrategic = request.headers["content-type"] == types.last
        return store(object.merging(request.body, isStrategic: isStrategic), at: path, request, &state)
    }

    private static func replace(_ request: ReceivedRequest, _ state: inout State) -> Reply {
        guard state.cluster.objects[request.path] != nil else { return notFound(request.path) }
        return store(request.body, at: request.path, request, &state)
    }

    /// Keeps an object, unless the request is only a try.
    private static func store(
        _ object: JSONValue,
        at path: String,
        _ request: ReceivedRequest,
        _ state: inout State
    ) -> Reply {
        let status = state.cluster.objects[path] == nil ? 201 : 200
        if request.query["dryRun"] != nil { return .json(object, status: status) }
        let change = state.cluster.put(object, at: path)
        follow(change, &state)
        return .json(state.cluster.objects[path] ?? change.object, status: status)
    }

    private static func delete(_ request: ReceivedRequest, _ state: inout State) -> Reply {
        guard let object = state.cluster.objects[request.path] else { return notFound(request.path) }
        let wanted = request.body["preconditions"]
        for (name, text) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
            let there = object.value(at: ["metadata", name])?.string ?? ""
            guard let expected = wanted?[name]?.string, expected != there else { continue }
            let kind = object["kind"]?.string ?? "Pod"
            let own = object.value(at: ["metadata", "name"])?.string ?? ""
            return .refusal(
                409,
                "Conflict",
                "Operation cannot be fulfilled on \(kind) \"\(own)\": the \(text) in the precondition (\(expected)) "
                    + "does not match the \(text) in record (\(there)). The object might have been modified"
            )
        }
        if let change = state.cluster.remove(request.path) { follow(change, &state) }
        return .json(object)
    }

    private static func create(_ request: ReceivedRequest, _ state: inout State) -> Reply {
        var object = request.body
        var name = object.value(at: ["metadata", "name"])?.string ?? ""
        if name.isEmpty {
            name = state.cluster.generatedName(object.value(at: ["metadata", "generateName"])?.string ?? "")
            object = object.setting(["metadata", "name"], to: .string(name))
        }
        let path = "\(request.path)/\(name)"
        guard state.cluster.objects[path] == nil else {
            return .refusal(409, "AlreadyExists", "\"\(name)\" already exists")
        }
        return store(object, at: path, request, &state)
    }
}
