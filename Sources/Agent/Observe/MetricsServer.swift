internal import Hummingbird
internal import LinuxKernel
internal import Logging
internal import NIOCore
internal import ServiceLifecycle

/// Answers Prometheus on `/metrics`.
package struct MetricsServer: Service {
    private let server: PortServer

    /// - Parameters:
    ///   - port: 0 asks for any.
    ///   - registry: What is told.
    ///   - refresh: Called before each answer, to bring gauges up to date.
    ///   - isListening: Told the port.
    package init(
        port: Int,
        registry: MetricsRegistry,
        refresh: @escaping @Sendable () -> Void = {},
        isListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
    ) {
        let process = OwnProcessMetrics()
        server = PortServer(
            port: port,
            purpose: "/metrics",
            setting: AgentSetting.monitoringPort.variables.joined(),
            isListening: isListening
        ) { path in
            guard path == "/metrics" else { return Response(status: .notFound) }
            refresh()
            let text = registry.text() + process.text()
            return Response(
                status: .ok,
                headers: [.contentType: MetricsText.contentType],
                body: ResponseBody(byteBuffer: ByteBuffer(string: text))
            )
        }
    }

    package func run() async throws { try await server.run() }
}

/// What this process costs, as text; nothing where `/proc` cannot be read, which is said once.
private struct OwnProcessMetrics {
    private let bootSeconds: Int?

    init() {
        do throws(KernelError) {
            bootSeconds = try ProcessStatistics.bootSeconds()
        } catch {
            bootSeconds = nil
            Logger(label: LogScope.agent)
                .warning("the agent's own cost cannot be told", metadata: ["error": "\(error.description)"])
        }
    }

    func text() -> String {
        guard let bootSeconds else { return "" }
        var text = MetricsText()
        do throws(KernelError) {
            text.add(try ProcessStatistics(bootSeconds: bootSeconds))
        } catch {
            // It could be read a moment ago; the next scrape tries again.
        }
        return text.text
    }
}
