internal import CNIProtocol
internal import Hummingbird
internal import NIOCore
internal import ServiceLifecycle

/// Answers the kubelet's probes: `/healthz` while the process runs, `/readyz` once the node is served.
package struct HealthServer: Service {
    private let server: PortServer

    /// - Parameters:
    ///   - port: 0 asks for any.
    ///   - readiness: Asked at each probe.
    ///   - isListening: Told the port.
    package init(port: Int, readiness: Readiness, isListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }) {
        server = PortServer(
            port: port,
            purpose: "/healthz and /readyz",
            setting: AgentSetting.healthPort.variables.joined(),
            isListening: isListening
        ) { path in
            switch path {
            case "/healthz": Response(status: .ok)
            case "/readyz": Self.answer(readiness.obstacles)
            default: Response(status: .notFound)
            }
        }
    }

    package func run() async throws { try await server.run() }

    /// The kubelet shows the status only; a person with curl, and `kubectl describe` of an event, the reasons.
    private static func answer(_ obstacles: [(condition: String, reason: String)]) -> Response {
        let reasons = obstacles.map { obstacle in
            JSONValue.object([
                JSONMember("condition", .string(obstacle.condition)), JSONMember("reason", .string(obstacle.reason)),
            ])
        }
        let body = JSONValue.object([
            JSONMember("ready", .bool(obstacles.isEmpty)), JSONMember("reasons", .array(reasons)),
        ])
        return Response(
            status: obstacles.isEmpty ? .ok : .serviceUnavailable,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body.bytes() + [0x0A]))
        )
    }
}
