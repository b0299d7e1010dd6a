import Conformance
import Foundation
import LinuxKernel
import TestSupport
import Testing

/// The rights that the official chart gives the agent, and no other.
@Suite(.tags(.s2, .s31), .requiresSeveralUsers, .timeLimit(.minutes(5))) struct RepairRightsTests {
    static let rights = "-all,+net_admin,+net_raw,+sys_ptrace,+sys_admin,+dac_override"

    @Test func `repair works with the five capabilities of the chart alone`() async throws {
        let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path(percentEncoded: false)
        let suites = "(RepairServiceTests|SandboxFinderTests|RedirectionEvidenceTests)/"
        let run = ChildProcess(
            "/usr/bin/setpriv",
            [
                "--bounding-set=\(Self.rights)", "--inh-caps=-all", tests, "--testing-library", "swift-testing",
                "--filter", suites,
                // They change their user, which takes a right of its own.
                "--skip", "validation fails",
            ],
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "CI=1"],
            deadlineMilliseconds: 240_000
        )

        let outcome = try await onThread { try run.run() }

        let output = String(decoding: outcome.standardOutput + outcome.standardError, as: UTF8.self)
        let failures = output.split(separator: "\n").filter { line in line.contains("✘") }
        #expect(outcome.isSuccess, "\(failures.prefix(20).joined(separator: "\n"))")
        #expect(output.contains("the right address with another UID is left alone and named"))
    }
}
