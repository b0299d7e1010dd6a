import Conformance
import Foundation
import LinuxKernel
import TestSupport
import Testing

/// The rights that the official chart gives the agent, and no other.
@Suite(.tags(.s2, .s31), .requiresSeveralUsers, .timeLimit(.minutes(5))) struct RepairRightsTests {
    static let rights = ["net_admin", "net_raw", "sys_ptrace", "sys_admin", "dac_override"]

    @Test func `repair works with the five capabilities of the chart alone`() async throws {
        let suites = "(RepairServiceTests|SandboxFinderTests|RedirectionEvidenceTests)/"
        // Those that are skipped change a user, which takes a right of its own.
        let (isSuccess, output) = try await Self.run(suites, skip: "validation fails|another user", with: Self.rights)

        let failures = output.split(separator: "\n").filter { line in line.contains("✘") }
        #expect(isSuccess, "\(failures.prefix(20).joined(separator: "\n"))")
        #expect(output.contains("the right address with another UID is left alone and named"))
    }

    @Test(arguments: [
        ("net_admin", "CapabilityTests/.*largest rule set"), ("sys_admin", "CapabilityTests/.*largest rule set"),
        ("net_raw", "UpstreamEvidenceTests/.*no packet meets"), ("sys_ptrace", "SandboxFinderTests/.*another user"),
        ("dac_override", "InstallerTests/.*another user"),
    ])
    func `each of the five is needed for something`(right: String, tests: String) async throws {
        // For the tests themselves: to make a process and a directory of another user, and to end the process.
        let rights = Self.rights + ["setuid", "setgid", "chown", "kill"]

        let with = try await Self.run(tests, with: rights)
        let without = try await Self.run(tests, with: rights.filter { other in other != right })

        #expect(with.isSuccess, "\(with.output.suffix(2_000))")
        #expect(with.output.contains(" passed after"))
        #expect(!without.isSuccess)
        #expect(without.output.contains(" failed after"), "\(without.output.suffix(2_000))")
    }

    /// Runs tests of this program with these capabilities alone.
    private static func run(
        _ filter: String,
        skip: String = "none is skipped",
        with rights: [String]
    ) async throws -> (isSuccess: Bool, output: String) {
        let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path(percentEncoded: false)
        let run = ChildProcess(
            "/usr/bin/setpriv",
            [
                "--bounding-set=-all," + rights.map { right in "+\(right)" }.joined(separator: ","), "--inh-caps=-all",
                tests, "--testing-library", "swift-testing", "--filter", filter, "--skip", skip,
            ],
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "CI=1"],
            deadlineMilliseconds: 240_000
        )
        let outcome = try await onThread { try run.run() }
        return (outcome.isSuccess, String(decoding: outcome.standardOutput + outcome.standardError, as: UTF8.self))
    }
}
