import Foundation
import LinuxKernel
import Logging
import ServiceLifecycle
import Testing

@testable import Agent

@Suite(.timeLimit(.minutes(2))) struct WatchdogTests {
    /// Looks every second, as the watchdog does; returns what it finds first.
    private static func lookEachSecond(
        _ state: inout WatchdogState,
        from start: Int,
        to end: Int
    ) -> WatchdogState.Stall? {
        for now in stride(from: start, through: end, by: 1_000) {
            if let stall = state.look(at: now) { return stall }
        }
        return nil
    }

    @Test func `a service that makes no progress is found at the limit`() {
        var state = WatchdogState(limitMilliseconds: 15_000)
        state.beat("pods", at: 0)
        state.beat("socket", at: 0)

        #expect(Self.lookEachSecond(&state, from: 0, to: 10_000) == nil)
        state.beat("socket", at: 10_000)
        #expect(Self.lookEachSecond(&state, from: 11_000, to: 14_000) == nil)
        #expect(state.look(at: 15_000) == .init(service: "pods", milliseconds: 15_000))
    }

    @Test func `a service that rests is not expected to make progress until its next beat`() {
        var state = WatchdogState(limitMilliseconds: 15_000)
        state.beat("lock", at: 0)
        state.rest("lock")

        #expect(Self.lookEachSecond(&state, from: 0, to: 100_000) == nil)
        state.beat("lock", at: 100_000)
        #expect(Self.lookEachSecond(&state, from: 101_000, to: 200_000)?.milliseconds == 15_000)
    }

    @Test func `time in which the whole process was stopped does not count`() {
        var state = WatchdogState(limitMilliseconds: 15_000)
        state.beat("pods", at: 0)

        #expect(Self.lookEachSecond(&state, from: 0, to: 5_000) == nil)
        #expect(state.look(at: 600_000) == nil)
        #expect(Self.lookEachSecond(&state, from: 601_000, to: 700_000) == .init(service: "pods", milliseconds: 15_000))
    }

    @Test func `of several services that hang the longest is named`() {
        var state = WatchdogState(limitMilliseconds: 2_000)
        state.beat("b", at: 1)
        state.beat("a", at: 1)
        state.beat("late", at: 1_000)

        #expect(state.look(at: 3_001)?.service == "a")
    }

    /// Beats once, and then blocks the thread that it runs on.
    private struct HungService: Service {
        let heartbeat: Heartbeat?

        func run() async throws {
            heartbeat?.beat()
            Clock.sleep(milliseconds: 60_000)
        }
    }

    private static func startLog() {
        LoggingSystem.bootstrap { scope in LineLogHandler(scope: scope, levels: LogLevels(), format: .text) }
    }

    @Test func `a hung service ends the process with status 1, and the log names it`() async throws {
        let result = try #require(
            await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
                Self.startLog()
                let watchdog = Watchdog(limitMilliseconds: 300)
                watchdog.start()
                let hung = HungService(heartbeat: watchdog.heartbeat("pods"))
                try await ServiceGroup(services: [hung], logger: Logger(label: "test")).run()
            }
        )

        let log = String(decoding: result.standardErrorContent, as: UTF8.self)
        #expect(log.contains("\tfatal\tcni-agent\ta service of the agent hangs"))
        #expect(log.contains("service=pods"))
    }

    @Test func `services that hold every thread are found out, though none of them ever beat`() async throws {
        let result = try #require(
            await #expect(processExitsWith: .exitCode(1), observing: [\.standardErrorContent]) {
                Self.startLog()
                let watchdog = Watchdog(limitMilliseconds: 4_000)
                watchdog.start()
                let hung = (0...ProcessInfo.processInfo.activeProcessorCount).map { _ in HungService(heartbeat: nil) }
                let services: [any Service] = [watchdog] + hung
                try await ServiceGroup(services: services, logger: Logger(label: "test")).run()
            }
        )

        #expect(String(decoding: result.standardErrorContent, as: UTF8.self).contains("service=tasks"))
    }

    @Test func `an agent that ends in order is not ended by its watchdog`() async {
        await #expect(processExitsWith: .success) {
            let watchdog = Watchdog(limitMilliseconds: 2_000)
            watchdog.start()
            _ = watchdog.heartbeat("pods")
            let group = ServiceGroup(services: [watchdog], logger: Logger(label: "test"))
            let run = Task { try await group.run() }
            await group.triggerGracefulShutdown()
            try await run.value
            // Longer than the limit: nothing looks any more.
            try await Task.sleep(for: .seconds(4))
        }
    }
}
