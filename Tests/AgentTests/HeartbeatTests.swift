import HTTPTestSupport
import Kubernetes
import LinuxKernel
import Metrics
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Agent

/// Which services tell the watchdog that they make progress, and which silence is none of its business.
@Suite(.timeLimit(.minutes(2))) struct HeartbeatTests {
    /// What a watchdog would have ended the process for.
    private final class Stalls: Sendable {
        private let names = Mutex<[String]>([])

        var all: [String] { names.withLock { names in names } }

        func note(_ name: String) { names.withLock { names in names.append(name) } }
    }

    private static let limitMilliseconds = 1_500

    private static func watched(_ body: (Watchdog) async throws -> Void) async throws -> [String] {
        let stalls = Stalls()
        let watchdog = Watchdog(limitMilliseconds: limitMilliseconds) { stall in stalls.note(stall.service) }
        watchdog.start()
        defer { watchdog.stop() }
        try await body(watchdog)
        return stalls.all
    }

    @Test func `work that does not end is found, and what comes before and after it is not looked at`() async throws {
        let stalls = try await Self.watched { watchdog in
            let heartbeat = watchdog.heartbeat("work")
            heartbeat.rest()
            heartbeat.during {}
            try await Self.waitTwiceTheLimit()
            try await onThread { heartbeat.during { Clock.sleep(milliseconds: 4 * Self.limitMilliseconds) } }
        }

        #expect(stalls == ["work"])
    }

    @Test(arguments: [false, true])
    func `a server that says nothing for long is no reason to end`(duringList: Bool) async throws {
        let stalls = try await Self.watched { watchdog in
            try await ScriptedServer.runWithClient { server, client in
                server.put(TestPod.object("cart"))
                if duringList { server.always(.hang) }
                let pods = PodDirectory()
                let source = APIPodSource(
                    client: client,
                    query: .pods(onNode: "node-1"),
                    pods: pods,
                    heartbeat: watchdog.heartbeat("pods")
                )
                let run = Task { try await source.run() }
                if !duringList { try await eventually("the list") { pods.isComplete } }
                try await Self.waitTwiceTheLimit()
                run.cancel()
                try await run.value
            }
        }

        #expect(stalls == [])
    }

    @Test(arguments: [false, true])
    func `an installer that waits beats, and one that hangs is found`(hangs: Bool) async throws {
        let stalls = try await Self.watched { watchdog in
            let isOver = Atomic(false)
            let heartbeat = watchdog.heartbeat("installation")
            // As the service does: how soon its thread starts is not its progress.
            heartbeat.rest()
            let loop = InstallLoop(
                settings: InstallSettings(try AgentConfiguration(environment: ["POD_SOURCE": "directory:/"])),
                pauses: InstallPauses(),
                report: InstallReport(
                    state: InstallState(),
                    metrics: NOOPMetricsHandler.instance,
                    onQuarrel: { _ in }
                ),
                role: {
                    // As a disk that does not answer: whoever asks waits.
                    if hangs { Clock.sleep(milliseconds: 4 * Self.limitMilliseconds) }
                    return .standby
                },
                isEnding: { isOver.load(ordering: .acquiring) },
                heartbeat: heartbeat
            )
            async let run: Void = onThread {
                var loop = loop
                loop.run()
            }
            try await Self.waitTwiceTheLimit()
            isOver.store(true, ordering: .releasing)
            try await run
        }

        #expect(stalls == (hangs ? ["installation"] : []))
    }

    /// Long enough for a watchdog that looks each second to have found anything.
    private static func waitTwiceTheLimit() async throws {
        try await Task.sleep(for: .milliseconds(2 * limitMilliseconds + 500))
    }
}
