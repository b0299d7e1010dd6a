import CLinuxKernel
import Foundation
package import LinuxKernel
package import Testing

extension NetworkNamespace {
    /// What `nft` itself says is in force here, without counter values.
    package func listRuleset() async throws -> String {
        try await command("nft", "list", "ruleset").replacing(" packets 0 bytes 0", with: "")
    }

    /// Runs a program here and returns its standard output.
    ///
    /// A failing program fails the test. Foundation's `Process` would hand the pipes of this test to children that
    /// other tests start at the same moment, and two of those can wait for each other for ever.
    package func command(_ name: String, _ arguments: String..., input: String = "") async throws -> String {
        let program = ChildProcess(
            "/usr/bin/env",
            [name] + arguments,
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"],
            standardInput: Array(input.utf8),
            deadlineMilliseconds: 60_000,
            outputByteLimit: 16 * 1_024 * 1_024
        )
        let namespace = try NetworkNamespace(at: "/proc/self/fd/\(rawDescriptor)")
        // Waits in a callback: a test that blocks would hold one of the few threads of all tests.
        let outcome = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try program.run(in: namespace) })
            }
        }
        let problem = String(decoding: outcome.standardError, as: UTF8.self)
        try #require(outcome.isSuccess, "\(name) \(arguments) in a namespace: \(problem)")
        return String(decoding: outcome.standardOutput, as: UTF8.self)
    }
}

/// The error that `body` throws, or nil.
package func refusal(of body: () throws(KernelError) -> Void) -> KernelError? {
    do throws(KernelError) {
        try body()
        return nil
    } catch {
        return error
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test where namespaces cannot be made.
    ///
    /// Under `CI` it runs all the same, and fails:
    /// a green run there means that the kernel was asked.
    package static var requiresNetworkNamespaces: Self {
        .enabled(
            if: ProcessInfo.processInfo.environment["CI"] != nil || geteuid() == 0,
            "making a network namespace takes root, or `unshare -Urn`"
        )
    }

    /// Skips the test where the process has one user only, as under `unshare -Urn`.
    ///
    /// Rules about a socket's owner then have nothing to tell apart, and iptables refuses users that are not mapped.
    /// As root it runs, and under `CI` without a user namespace it runs and fails, as above.
    package static var requiresSeveralUsers: Self {
        .enabled(
            if: mapsSeveralUsers && (ProcessInfo.processInfo.environment["CI"] != nil || geteuid() == 0),
            "telling a proxy's sockets from an application's takes the real root: here is one user only"
        )
    }

    /// Whether more than one user of this namespace exists outside of it (`user_namespaces(7)`).
    private static var mapsSeveralUsers: Bool {
        guard let map = try? String(contentsOfFile: "/proc/self/uid_map", encoding: .utf8) else {
            // Without the file the kernel knows no user namespaces.
            return true
        }
        return map.split(separator: "\n").contains { $0.split(separator: " ").last.flatMap { UInt32($0) } ?? 0 > 1 }
    }
}
