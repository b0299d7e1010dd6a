import Agent
import AgentProtocol
import CNIProtocol
import Foundation
import HTTPTestSupport
import Kubernetes
import Logging
import Metrics
import Synchronization
import TestSupport
import Testing

/// The whole agent while its API server is away for long; its pauses take no time, and are counted.
@Suite(.timeLimit(.minutes(2))) struct OutageTests {
    /// A clock on which only the pauses of the agent take time, and which stands still at a moment until it is let go.
    private final class PauseClock: Sendable {
        private let state = Mutex((elapsed: Duration.zero, stop: Duration?.none))

        var elapsed: Duration { state.withLock { state in state.elapsed } }

        func stop(at moment: Duration) { state.withLock { state in state.stop = moment } }

        func release() { state.withLock { state in state.stop = nil } }

        var isStopped: Bool {
            state.withLock { state in
                guard let stop = state.stop else { return false }
                return state.elapsed >= stop
            }
        }

        func sleep(_ pause: Duration) async throws {
            while isStopped { try await Task.sleep(for: .milliseconds(1)) }
            state.withLock { state in state.elapsed += pause }
        }
    }

    private static func request(_ name: String) -> AddRequest {
        var request = Sample.request
        request.podName = name
        return request
    }

    private static func isRedirected(_ name: String, by agent: RunningAgent) async throws -> Bool {
        if case .answer(.redirect) = try await agent.ask(request(name)) { return true }
        return false
    }

    /// An agent that installs its plugin into a directory and reads its pods from a server at a port.
    private static func makeAgent(port: Int, _ clock: PauseClock) throws -> RunningAgent {
        var agent = try RunningAgent()
        let path = { [root = agent.root] (name: String) in root.appending(path: name).path(percentEncoded: false) }
        for name in ["net.d", "bin", "image", "account"] {
            try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
        }
        try Data("the plugin".utf8).write(to: URL(filePath: path("image/istio-cni")))
        try Data("token".utf8).write(to: URL(filePath: path("account/token")))
        try Data(#"{"cniVersion":"1.0.0","name":"pods","plugins":[{"type":"bridge"}]}"#.utf8)
            .write(to: URL(filePath: path("net.d/10-primary.conflist")))
        agent.settings = [
            .podSource: "api", .skipsInstallation: "false", .configurationDirectory: path("net.d"),
            .programDirectory: path("bin"), .programSource: path("image"), .nodeName: "node-1",
            .podNamespace: "istio-system", .serverHost: "127.0.0.1", .serverPort: "\(port)", .serverProtocol: "http",
            .serviceAccountDirectory: path("account"), .healthPort: "0", .monitoringPort: "0",
        ]
        agent.sleep = { pause in try await clock.sleep(pause) }
        agent.now = { Int(clock.elapsed / .milliseconds(1)) }
        return agent
    }

    private static func anonymousKibibytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { line in line.hasPrefix("RssAnon:") })
        return try #require(Int(line.split { character in character == " " || character == "\t" }[1]))
    }

    private static let grownKibibytes = 4_096

    /// Everything that the agent of this process logs.
    private final class Log: Sendable {
        private let bytes = Mutex<[UInt8]>([])

        var text: String { bytes.withLock { bytes in String(decoding: bytes, as: UTF8.self) } }

        func bootstrap() {
            LoggingSystem.bootstrap { scope in
                LineLogHandler(scope: scope, levels: LogLevels(), format: .text) { [self] line in
                    bytes.withLock { bytes in bytes += line }
                }
            }
        }
    }

    /// What `/readyz` and status, the log and the metrics say of an hour without API server.
    private static func expectReason(from agent: RunningAgent, _ log: Log, _ metrics: MetricsRegistry) async throws {
        let status = try await agent.status()
        #expect(status["ready"] == .bool(false))
        let reason = try #require(status["reasons"]?.array?.compactMap { reason in reason.string }.first)
        let age = try #require(reason.firstMatch(of: /the pods have not been up to date for (\d+) s: .*refused/))
        #expect(try #require(Int(age.1)) > 3_000, "\(reason)")
        // The last try may be on its way yet.
        try await eventually("each failed try is a line of the log with its reason, and counted") {
            let lines = log.text.split(separator: "\n").filter { line in line.contains("watch interrupted") }
            let samples = try PrometheusText(metrics.text())
            return lines.count > 60 && lines.allSatisfy { line in line.contains("reason=") }
                && samples["istio_cni_watch_restarts_total"] == Double(lines.count)
                && samples["controller_sync_errors_total"] == Double(lines.count)
        }
    }

    @Test func `an hour without API server costs no known pod, no memory, and 30 s at most after it`() async {
        // In a process of its own, whose memory is nobody else's.
        await #expect(processExitsWith: .success) {
            let (clock, log, metrics) = (PauseClock(), Log(), MetricsRegistry())
            log.bootstrap()
            MetricsSystem.bootstrap(metrics)
            var server = try await ScriptedServer.start()
            let port = server.port
            server.put(TestPod.object("cart"))
            let agent = try Self.makeAgent(port: port, clock)
            try await agent.run {
                try await eventually("a watch") { server.watchCount == 1 }
                let list = agent.root.appending(path: "net.d/10-primary.conflist")
                let installed = try Data(contentsOf: list)
                #expect(String(decoding: installed, as: UTF8.self).contains("istio-cni"))

                clock.stop(at: .seconds(600))
                await server.stop()
                try await eventually("ten minutes") { clock.isStopped }
                let memory = try Self.anonymousKibibytes()
                clock.stop(at: .seconds(3_600))
                try await eventually("an hour") { clock.isStopped }

                try await Self.expectReason(from: agent, log, metrics)
                #expect(try await Self.isRedirected("cart", by: agent))
                let unknown = try await agent.ask(Self.request("late"))
                guard case .refusal(let refusal) = unknown else {
                    Issue.record("an unknown pod is to be tried again: \(unknown)")
                    return
                }
                #expect(refusal.reason == .notReady)
                #expect(try Data(contentsOf: list) == installed)
                let grown = try Self.anonymousKibibytes() - memory
                #expect(grown < Self.grownKibibytes, "grown by \(grown) KiB in 50 minutes")

                server = try await ScriptedServer.start(port: port)
                for name in ["cart", "late"] { server.put(TestPod.object(name)) }
                let back = clock.elapsed
                clock.release()
                try await eventually("a watch") { server.watchCount == 1 }
                try await eventually("the new pod") { try await agent.status()["pods"] == .integer(2) }
                #expect(try await Self.isRedirected("late", by: agent))
                #expect(clock.elapsed - back <= ListWatch.longestPause)
                await server.stop()
            }
        }
    }
}
