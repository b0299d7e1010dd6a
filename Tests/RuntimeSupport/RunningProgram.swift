import Foundation
package import LinuxKernel
import Synchronization

/// A program that runs beside a test, and ends with the test's process at the latest.
package final class RunningProgram: Sendable {
    package let identifier: Int32

    /// The file that takes what the program writes.
    package let log: String

    private let process: BackgroundProcess
    private let keeper: Keeper
    private let lastSignal: CInt
    private let end = Mutex<Result<ChildProcess.Ending, KernelError>?>(nil)

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - path: The program, absolute.
    ///   - arguments: Those after the program's own name.
    ///   - environment: `NAME=value` each; `PATH` is there already.
    ///   - log: A file to which everything is appended that the program writes.
    ///   - network: A descriptor of the namespace to run in; nil for this process's own.
    ///   - endsItself: Whether the program notices by itself that this process has ended, and needs time for its end.
    /// - Throws: The step that failed before the program was there.
    package init(
        _ path: String,
        _ arguments: [String] = [],
        environment: [String] = [],
        log: String,
        network: CInt? = nil,
        endsItself: Bool = false
    ) async throws {
        var program = BackgroundProgram(
            "/bin/sh",
            ["-c", #"log=$0; exec "$@" >> "$log" 2>&1"#, log, path] + arguments,
            environment: [Self.searchPath] + environment
        )
        program.endsWithParent = !endsItself
        let start = program
        let (process, keeper) = try await withCheckedThrowingContinuation { started in
            Thread.detachNewThread {
                do throws(KernelError) {
                    let process = try start.start(network: network)
                    let keeper = Keeper()
                    started.resume(returning: (process, keeper))
                    // The program gets its signal when this thread ends, and not only with the process (prctl(2)).
                    keeper.wait()
                } catch {
                    started.resume(throwing: error)
                }
            }
        }
        self.process = process
        self.log = log
        identifier = process.identifier
        self.keeper = keeper
        lastSignal = endsItself ? SIGTERM : SIGKILL
    }

    /// Its end is fetched by a thread that nobody waits for: a child whose end nobody fetches keeps Swift Testing's own
    /// search for ended children (`waitid(2)`, `P_ALL`) busy for good.
    deinit {
        send(lastSignal)
        keeper.release()
        guard isRunning else { return }
        let process = process
        Thread.detachNewThread {
            // Nobody can be told here that it does not end.
            _ = try? process.wait(milliseconds: 60_000)
        }
    }

    /// Whether it still runs.
    package var isRunning: Bool { end.withLock { end in Self.update(&end, process) == nil } }

    /// Sends a signal, if the program still runs: its number may be another process's by now.
    package func send(_ signal: CInt) {
        end.withLock { end in
            guard Self.update(&end, process) == nil else { return }
            _ = Foundation.kill(process.identifier, signal)
        }
    }

    /// Kills it, and waits until it is gone.
    package func end() async throws {
        send(SIGKILL)
        _ = try await ending()
    }

    /// Waits for the program's end.
    package func ending(seconds: Int = 60) async throws -> ChildProcess.Ending {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            if let ended = end.withLock({ end in Self.update(&end, process) }) { return try ended.get() }
            guard ContinuousClock.now < deadline else {
                throw TestFailure("\(process) still runs after \(seconds) s; it said: \(lastWords)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// The end of what the program and its predecessors with the same log have written.
    package var lastWords: String {
        guard let data = FileManager.default.contents(atPath: log) else { return "nothing" }
        return String(decoding: data.suffix(4_000), as: UTF8.self)
    }

    /// Where programs are found.
    package static let searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    private static func update(
        _ end: inout Result<ChildProcess.Ending, KernelError>?,
        _ process: BackgroundProcess
    ) -> Result<ChildProcess.Ending, KernelError>? {
        if end == nil {
            do throws(KernelError) {
                end = try process.wait(milliseconds: 0).map { ending in .success(ending) }
            } catch {
                end = .failure(error)
            }
        }
        return end
    }
}

/// Holds a thread until it is released.
private final class Keeper: Sendable {
    private let gate = DispatchSemaphore(value: 0)

    func wait() { gate.wait() }
    func release() { gate.signal() }
}

/// What keeps a test from going on.
package struct TestFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Runs what blocks on a thread of its own: the pool that runs tests is as wide as the machine has processors.
package func onThread<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}

/// Waits for what others do in their own time.
///
/// - Throws: ``TestFailure`` when it has not come after `seconds`; an error of `isTrue` ends the wait at once.
package func waitUntil(
    _ fact: @autoclosure () -> String,
    seconds: Int = 60,
    _ isTrue: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try await !isTrue() {
        guard ContinuousClock.now < deadline else { throw TestFailure("not within \(seconds) s: \(fact())") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
