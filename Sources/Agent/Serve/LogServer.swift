internal import AgentProtocol
internal import CNIProtocol
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ServiceLifecycle

/// Takes the log of an upstream plugin on `log.sock`, which one caught in the change still writes to.
///
/// `/log` with any method; an array of strings, each a log line of JSON. What is none is left out, and the
/// answer is 200 all the same, as that plugin expects (but 413 where there is too much).
package struct LogServer: Service {
    package static let socketName = "log.sock"

    private let server: SocketServer

    package init(runDirectory: String, limits: SocketLimits = SocketLimits()) {
        let relay = LogRelay()
        let router = Router(context: BasicRequestContext.self)
        for method in [HTTPRequest.Method.post, .put, .get] {
            router.on("/log", method: method) { request, _ in
                let bytes: [UInt8]
                do {
                    bytes = Array(try await request.body.collect(upTo: MessageLimits.logBodyBytes).readableBytesView)
                } catch {
                    return JSONResponse.error(.contentTooLarge, "more than \(MessageLimits.logBodyBytes) bytes of log")
                }
                do throws(JSONError) {
                    let lines = try JSONValue(parsing: bytes).strings ?? []
                    relay.write(Array(lines.prefix(MessageLimits.logLines)))
                } catch {
                    // As upstream's agent: what is no log is left out.
                }
                return Response(status: .ok, headers: [.connection: "close"])
            }
        }
        server = SocketServer(path: "\(runDirectory)/\(Self.socketName)", router: router, limits: limits)
    }

    package func run() async throws { try await server.run() }
}
