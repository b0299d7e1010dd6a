import Foundation
import LinuxKernel
import Operator
import Redirect
import TestSupport
import Testing

/// Envoy as a sidecar: under the proxy's user, with listeners on 15001 and 15006.
struct Envoy: Sendable {
    static let user: UInt32 = 1_337

    private let namespace: String
    private let plan: RedirectPlan

    /// - Parameters:
    ///   - namespace: The pod's, which must outlive this value.
    ///   - plan: What the pod's rules are made of; to take what TPROXY hands over, the proxy needs capabilities.
    init(in namespace: borrowing NetworkNamespace, _ plan: RedirectPlan) {
        self.namespace = "/proc/\(getpid())/fd/\(namespace.rawDescriptor)"
        self.plan = plan
    }

    /// Starts Envoy, waits until it serves, and ends it after `body`, whatever comes of that.
    func whileRunning<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        let program = program
        let namespace = try NetworkNamespace(at: namespace)
        // A thread of its own, since it waits for the program's end.
        let (endings, ending) = AsyncStream.makeStream(of: Result<ChildProcess.Outcome, KernelError>.self)
        Thread.detachNewThread {
            ending.yield(Result { () throws(KernelError) in try program.run(in: namespace) })
            ending.finish()
        }
        let result: Result<Value, any Error>
        do {
            try await waitUntilReady()
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        try await quit()
        for await ended in endings {
            let outcome = try ended.get()
            #expect(outcome.isSuccess, "Envoy: \(String(decoding: outcome.standardError, as: UTF8.self))")
        }
        return try result.get()
    }

    /// What Envoy has counted so far, by name; what is 0 is left out.
    func counters() async throws -> [String: Int] {
        let text = try await ask("stats?usedonly", method: "GET")
        let pairs = text.split(separator: "\n").compactMap { line -> (String, Int)? in
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let count = Int(parts[1].trimmingCharacters(in: .whitespaces)) else { return nil }
            return (String(parts[0]), count)
        }
        return Dictionary(pairs) { first, _ in first }
    }

    /// As root the shell opens the program and Envoy is started through that descriptor: its user need not be able
    /// to reach a clone below /root.
    private var program: ChildProcess {
        let capabilities =
            plan.interceptionMode == .transparentProxy
            ? ["--inh-caps", "+net_admin,+net_raw", "--ambient-caps", "+net_admin,+net_raw"] : []
        let become = ["setpriv", "--reuid", "\(Self.user)", "--regid", "\(Self.user)", "--clear-groups"] + capabilities
        let arguments = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warn", "--config-yaml"]
        return ChildProcess(
            "/bin/sh",
            ["-c", #"exec 3< "$0"; exec "$@""#, EnvoyProgram.path] + become + ["/proc/self/fd/3"] + arguments
                + [EnvoyConfiguration(plan).text],
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
            deadlineMilliseconds: 120_000
        )
    }

    private func waitUntilReady() async throws {
        let deadline = Clock.monotonicMilliseconds() + 30_000
        while try await !isReady() {
            try #require(Clock.monotonicMilliseconds() < deadline, "Envoy is not ready after 30 s")
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Answers no as well while nobody listens: `curl` then writes nothing.
    private func isReady() async throws -> Bool {
        try await ask("ready", method: "GET", mayFail: true).contains("LIVE")
    }

    private func quit() async throws {
        _ = try await ask("quitquitquit", method: "POST", mayFail: true)
    }

    /// Asks Envoy's administration interface, as the proxy's user.
    private func ask(_ path: String, method: String, mayFail: Bool = false) async throws -> String {
        let user = "\(Self.user)"
        let call = #"curl -q -sS --max-time 20 -X "$1" "http://127.0.0.1:\#(EnvoyConfiguration.administrationPort)/$2""#
        return try await NetworkNamespace(at: namespace).command(
            "setpriv",
            "--reuid",
            user,
            "--regid",
            user,
            "--clear-groups",
            "sh",
            "-c",
            mayFail ? "\(call) || true" : call,
            "sh",
            method,
            path
        )
    }
}
