internal import Hummingbird
internal import HummingbirdCore
internal import LinuxKernel
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import Synchronization

/// A TCP port of the node or pod that answers anybody, so it tells nothing that is secret and takes no body.
struct PortServer: Service {
    let port: Int

    /// What is served there, and the setting that chooses the port: for messages.
    let purpose: String
    let setting: String

    /// Told the port that was bound, which differs where 0 asks for any.
    var isListening: @Sendable (_ port: Int) -> Void = { _ in }

    /// Answers a request by its path alone, whatever its method.
    let respond: @Sendable (_ path: String) -> Response

    private let logger = Logger(label: LogScope.agent)

    init(
        port: Int,
        purpose: String,
        setting: String,
        isListening: @escaping @Sendable (Int) -> Void,
        respond: @escaping @Sendable (String) -> Response
    ) {
        self.port = port
        self.purpose = purpose
        self.setting = setting
        self.isListening = isListening
        self.respond = respond
    }

    /// Probes and scrapers come one at a time; more is somebody else, and waits.
    private static let connections = 64

    /// As long as a scraper may keep a connection for its next scrape.
    private static let idleSeconds: Int64 = 90

    /// The longest head of a request; a scraper sends some 300 bytes.
    private static let headBytes = 16 * 1_024

    func run() async throws {
        let isBound = Atomic(false)
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let address = Self.everyAddress()
        let application = Application(
            responder: CallbackResponder<BasicRequestContext> { [respond] request, _ in respond(request.uri.path) },
            server: .http1(
                configuration: .init(
                    idleTimeout: .seconds(Self.idleSeconds),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: Self.headBytes,
                        maxHeaderListSize: Self.headBytes,
                        maxHeaderFieldCount: 50
                    )
                )
            ),
            configuration: .init(
                address: .hostname(address, port: port),
                availableConnectionsDelegate: .maximum(Self.connections, logger: quiet)
            ),
            onServerRunning: { [logger, purpose, isListening, port] channel in
                isBound.store(true, ordering: .releasing)
                let port = channel.localAddress?.port ?? port
                logger.info("port is served", metadata: ["purpose": "\(purpose)", "port": "\(port)"])
                isListening(port)
            },
            logger: quiet
        )
        do {
            try await application.run()
        } catch {
            guard !isBound.load(ordering: .acquiring) else { throw error }
            throw Failure(port: port, purpose: purpose, setting: setting, reason: "\(error)")
        }
    }

    /// `::` takes IPv4 as well (`ipv6(7)`), where the kernel has IPv6.
    private static func everyAddress() -> String {
        do throws(KernelError) {
            _ = try File.read("/proc/net/if_inet6", byteLimit: 1_024 * 1_024)
            return "::"
        } catch {
            return "0.0.0.0"
        }
    }

    /// The port cannot be had, so nobody could tell whether the agent is well.
    struct Failure: Error, Equatable, CustomStringConvertible {
        let port: Int
        let purpose: String
        let setting: String
        let reason: String

        var description: String {
            "port \(port) for \(purpose) cannot be bound: \(reason); another process has it, "
                + "which with hostNetwork may be one of the node: end that, or choose another port with \(setting)"
        }
    }
}
