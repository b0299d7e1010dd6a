import Foundation
import LinuxKernel
import Testing

/// `install-cni status` and `bypass` as programs, beside a real agent.
@Suite(.timeLimit(.minutes(2))) struct InquiryCommandTests {
    private static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "install-cni").path(percentEncoded: false)

    private static func run(_ arguments: String...) async throws -> (status: Int?, output: String, error: String) {
        let process = ChildProcess(program, arguments, environment: [], deadlineMilliseconds: 60_000)
        let outcome = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try process.run() }) }
        }
        let status: Int? = if case .exit(let status) = outcome.ending { status } else { nil }
        return (
            status, String(decoding: outcome.standardOutput, as: UTF8.self),
            String(decoding: outcome.standardError, as: UTF8.self)
        )
    }

    @Test func `without an agent they end with 2 and say where they looked`() async throws {
        for command in ["status", "bypass"] {
            let (status, output, error) = try await Self.run(command, "--cni-agent-run-dir=/tmp/nobody-is-here")

            #expect(status == 2)
            #expect(output.isEmpty)
            #expect(error.contains("/tmp/nobody-is-here/pluginevent.sock"))
        }
    }

    @Test func `beside an agent they end with 0, in plain text or JSON`() async throws {
        let root = URL(filePath: "/tmp/inquiry-\(UInt32.random(in: .min ... .max))")
        let pods = root.appending(path: "pods")
        try FileManager.default.createDirectory(at: pods, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }  // Under /tmp, which is cleared anyway.
        let pod = #"{"metadata":{"namespace":"shop","name":"cart","uid":"u1"},"spec":{"containers":[]}}"#
        try Data(pod.utf8).write(to: pods.appending(path: "cart.json"))
        let runDirectory = "--cni-agent-run-dir=\(root.path(percentEncoded: false))/run"
        let agent = BackgroundProgram(
            Self.program,
            ["--pod-source=directory:\(pods.path(percentEncoded: false))", runDirectory, "--skip-install"],
            environment: ["REDIRECT_BACKEND=nftables"]
        )
        let process = try agent.start(error: MemoryFile())
        defer { process.end(milliseconds: 5_000) }
        let deadline = ContinuousClock.now + .seconds(60)
        while try await Self.run("status", runDirectory).status != 0, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(50))
        }

        let (status, text, _) = try await Self.run("status", runDirectory, "--all")
        let (bypass, json, _) = try await Self.run("bypass", "--json", runDirectory)

        #expect(status == 0)
        #expect(text.contains("shop/cart") && !text.contains("\u{1B}"))
        #expect(bypass == 0)
        #expect(try JSONSerialization.jsonObject(with: Data(json.utf8)) is [String: Any])
    }
}
