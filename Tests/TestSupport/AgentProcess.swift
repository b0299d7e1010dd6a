import Foundation
package import LinuxKernel
import Synchronization
import Testing

/// The built agent as a process of its own, for what is true of the whole program only: signals, crashes, memory,
/// capabilities.
package final class AgentProcess: Sendable {
    package let runDirectory: String
    private let process: BackgroundProcess
    private let output: MemoryFile
    private let ending = Mutex<ChildProcess.Ending?>(nil)

    private static let longestLogBytes = 64 * 1_024 * 1_024

    /// `install-cni` beside the running test program.
    package static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "install-cni").path(percentEncoded: false)

    /// Starts the agent, and does not wait for its sockets.
    ///
    /// The arguments come after `--cni-agent-run-dir`; nothing of the environment is inherited but a `PATH`; a wrapper is
    /// the words before the program's own, such as those of `setpriv`.
    package init(
        runDirectory: String,
        arguments: [String],
        environment: [String] = [],
        wrapper: [String] = []
    ) throws {
        self.runDirectory = runDirectory
        let words = wrapper + [Self.program, "--cni-agent-run-dir=\(runDirectory)"] + arguments
        var program = BackgroundProgram(
            words[0],
            Array(words.dropFirst()),
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] + environment
        )
        // The thread that starts it is one of many, and ends before the test does.
        program.endsWithParent = false
        output = try MemoryFile()
        process = try program.start(error: output)
    }

    /// Waits for its end too: Swift Testing asks for the end of any child (`waitid(2)`, `P_ALL`), and one that nobody
    /// fetches hides all others from it, so that exit tests hang.
    deinit {
        ending.withLock { ending in
            guard ending == nil else { return }
            _ = Foundation.kill(process.identifier, SIGKILL)
            // Nobody can be told here that it does not die, and the tests that hang will say so.
            _ = try? process.wait(milliseconds: 5_000)
        }
    }

    package var identifier: Int32 { process.identifier }

    package var pluginSocket: String { "\(runDirectory)/pluginevent.sock" }

    /// What it has written so far.
    package var log: String {
        get throws { String(decoding: try output.contents(byteLimit: Self.longestLogBytes), as: UTF8.self) }
    }

    /// The same for a message: what cannot be read is no reason to hide what failed.
    package var story: String { (try? log) ?? "its log cannot be read" }

    /// Sends a signal, unless the process has ended and been waited for.
    package func kill(_ signal: Int32) {
        ending.withLock { ending in
            if ending == nil { _ = Foundation.kill(process.identifier, signal) }
        }
    }

    /// How it has ended; nil while it runs.
    package func pollEnding() throws -> ChildProcess.Ending? {
        try ending.withLock { ending in
            if ending == nil { ending = try process.wait(milliseconds: 0) }
            return ending
        }
    }

    /// Waits for its end.
    package func waitForEnd(seconds: Int = 60) async throws -> ChildProcess.Ending {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < deadline {
            if let ending = try pollEnding() { return ending }
            try await Task.sleep(for: .milliseconds(5))
        }
        kill(SIGKILL)
        return .deadline
    }

    /// Waits until the plugin's socket takes connections.
    package func waitUntilServing(seconds: Int = 60) async throws {
        let path = pluginSocket
        let deadline = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < deadline {
            // Refused or not there yet: the agent is on its way.
            if (try? await onThread({ _ = try UnixSocket(connectingTo: path, deadlineMilliseconds: 100) })) != nil {
                return
            }
            if let ending = try pollEnding() {
                Issue.record("the agent ended (\(ending)): \(try log)")
                return
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("the agent does not serve \(path) within \(seconds) s: \(try log)")
    }

    /// A figure of `/proc/PID/status` in KiB, such as `VmHWM`, the most memory that was ever resident.
    package func kibibytes(_ name: String) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process.identifier)/status", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { line in line.hasPrefix("\(name):") })
        return try #require(Int(line.split(whereSeparator: { character in character == " " || character == "\t" })[1]))
    }
}
