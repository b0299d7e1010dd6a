internal import AgentProtocol
internal import CNIProtocol
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import Metrics
internal import NIOCore
internal import ServiceLifecycle

/// Answers the plugin on `pluginevent.sock` (architecture, section 5).
package struct PluginServer: Service {
    package static let socketName = "pluginevent.sock"

    private let server: SocketServer

    package init(
        runDirectory: String,
        decisions: AddDecisions,
        status: AgentStatus,
        limits: SocketLimits = SocketLimits(),
        isServed: ReadinessFlag? = nil
    ) {
        server = SocketServer(
            path: "\(runDirectory)/\(Self.socketName)",
            router: Self.router(decisions: decisions, status: status),
            limits: limits,
            isServed: isServed
        )
    }

    package func run() async throws { try await server.run() }

    private static func router(decisions: AddDecisions, status: AgentStatus) -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self)
        let reports = AddReports(pods: decisions.pods, times: status.addTimes)
        router.post("/v1/add") { request, _ in
            await Self.counted(request, limit: MessageLimits.addBodyBytes) { body throws(MessageError) in
                let request = try AddRequest(body)
                if let hasAnnotations = request.hasAnnotations { status.runtimePassesAnnotations = hasAnnotations }
                return switch await decisions.answer(request) {
                case .success(let body): JSONResponse.make(.ok, body)
                case .failure(let refusal): JSONResponse.make(.init(code: refusal.reason.rawValue), refusal.bytes())
                }
            }
        }
        router.post("/v1/report") { request, _ in
            await Self.answer(request, limit: MessageLimits.logBodyBytes) { body throws(MessageError) in
                reports.record(try AddReport(body))
                return JSONResponse.make(.noContent, [])
            }
        }
        router.get("/v1/status") { _, _ in
            JSONResponse.make(.ok, status.value(pods: decisions.pods).bytes())
        }
        router.get("/debug/pods") { _, _ in JSONResponse.make(.ok, decisions.pods.report.bytes()) }
        router.post("/cmdadd") { _, _ in
            Self.count(.notImplemented)
            return JSONResponse.error(.notImplemented, "this agent has no ambient mode; the pod was not changed")
        }
        return router
    }

    private static func counted(
        _ request: Request,
        limit: Int,
        _ body: (_ bytes: [UInt8]) async throws(MessageError) -> Response
    ) async -> Response {
        let response = await answer(request, limit: limit, body)
        count(response.status)
        return response
    }

    private static func count(_ status: HTTPResponse.Status) {
        Counter(label: "istio_cni_plugin_requests_total", dimensions: [("response_code", "\(status.code)")]).increment()
    }

    /// Reads a body up to its limit, and answers 400 or 413 where it is no message.
    private static func answer(
        _ request: Request,
        limit: Int,
        _ body: (_ bytes: [UInt8]) async throws(MessageError) -> Response
    ) async -> Response {
        let bytes: [UInt8]
        do {
            bytes = Array(try await request.body.collect(upTo: limit).readableBytesView)
        } catch is NIOTooManyBytesError {
            return JSONResponse.error(.contentTooLarge, "the body has more than \(limit) bytes")
        } catch {
            return JSONResponse.error(.badRequest, "the body cannot be read: \(error)")
        }
        do throws(MessageError) {
            return try await body(bytes)
        } catch {
            return JSONResponse.error(.badRequest, error.description)
        }
    }
}

/// Answers of JSON, after which the connection is closed.
enum JSONResponse {
    static func make(_ status: HTTPResponse.Status, _ bytes: [UInt8]) -> Response {
        guard status != .noContent else { return Response(status: status, headers: [.connection: "close"]) }
        return Response(
            status: status,
            headers: [.connection: "close", .contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }

    static func error(_ status: HTTPResponse.Status, _ message: String) -> Response {
        make(status, JSONValue.object([JSONMember("error", .string(message))]).bytes())
    }
}
