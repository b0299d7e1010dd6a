import Foundation
import LinuxKernel
import Testing

/// `install-cni uninstall`, the program itself.
@Suite(.timeLimit(.minutes(2))) struct UninstallCommandTests {
    private let root = URL(filePath: "/tmp/uninstall-\(UInt64.random(in: .min ... .max))")

    private static let original = #"{"name":"n","plugins":[{"type":"ptp"}]}"#
    private static let installed = #"{"name":"n","plugins":[{"type":"ptp"},{"type":"istio-cni"}]}"#

    init() throws {
        for name in ["net.d", "bin", "run"] {
            try FileManager.default.createDirectory(at: root.appending(path: name), withIntermediateDirectories: true)
        }
        try File.replace(path("net.d/10-a.conflist"), with: Array(Self.installed.utf8), mode: 0o644)
        try File.replace(path("bin/istio-cni"), with: [1], mode: 0o755)
    }

    private func path(_ name: String) -> String { root.appending(path: name).path(percentEncoded: false) }

    private func uninstall(_ arguments: String...) async throws -> (status: Int, text: String) {
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let command = ChildProcess(
            program.appending(path: "install-cni").path(percentEncoded: false),
            ["uninstall", "--mounted-cni-net-dir", path("net.d"), "--mounted-cni-bin-dir", path("bin")]
                + ["--cni-agent-run-dir", path("run")] + arguments,
            deadlineMilliseconds: 60_000
        )
        let outcome = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try command.run() }) }
        }
        guard case .exit(let status) = outcome.ending else { return (-1, "") }
        return (status, String(decoding: outcome.standardOutput + outcome.standardError, as: UTF8.self))
    }

    private func cleanUp() { try? FileManager.default.removeItem(at: root) }  // Under /tmp, which is cleared anyway.

    @Test func `the entry goes, the plugin stays, and nothing is left`() async throws {
        defer { cleanUp() }
        let before = try await uninstall("--verify")
        let run = try await uninstall()
        let after = try await uninstall("--verify")

        let text = try String(contentsOfFile: path("net.d/10-a.conflist"), encoding: .utf8)
        #expect(before.status == 1)
        #expect(before.text == "left: \(path("net.d/10-a.conflist"))\n")
        #expect(run.status == 0, "\(run.text)")
        #expect(after.status == 0, "\(after.text)")
        #expect(text == Self.original)
        #expect(FileManager.default.fileExists(atPath: path("bin/istio-cni")))
    }

    @Test func `the plugin goes too once no entry has been there for a minute`() async throws {
        defer { cleanUp() }
        try File.replace(path("net.d/10-a.conflist"), with: Array(Self.original.utf8), mode: 0o644)
        for name in ["net.d/10-a.conflist", "net.d"] {
            let past = Date(timeIntervalSinceNow: -61)
            try FileManager.default.setAttributes([.modificationDate: past], ofItemAtPath: path(name))
        }

        let run = try await uninstall("--remove-binary")

        #expect(run.status == 0, "\(run.text)")
        #expect(!FileManager.default.fileExists(atPath: path("bin/istio-cni")))
    }

    @Test func `while the agent runs nothing is taken away, and why is said`() async throws {
        defer { cleanUp() }
        let lock = try FileLock(path("run/agent.lock"))

        let run = try await uninstall()

        let text = try String(contentsOfFile: path("net.d/10-a.conflist"), encoding: .utf8)
        #expect(run.status == 1)
        #expect(run.text.contains("agent.lock") && run.text.contains("istio-cni-node"))
        #expect(text == Self.installed)
        _ = consume lock
    }
}
