import Agent
import Foundation
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// A node that ran upstream's agent until now: its pods keep their rules, in every mode.
@Suite(.requiresSeveralUsers, .timeLimit(.minutes(3))) struct UpstreamPodsTests {
    static let cases = RecordedCase.redirected(count: 20)

    /// All that can be seen of a namespace's rules.
    private func rules(_ namespace: borrowing NetworkNamespace) async throws -> String {
        var rules = try await namespace.listRuleset()
        for program in ["iptables-legacy-save", "ip6tables-legacy-save"] {
            let saved = try await namespace.command(program)
            rules += saved.split(separator: "\n").filter { line in !line.hasPrefix("#") }.joined(separator: "\n")
        }
        return rules
    }

    /// The recorded pod, as the agent knows it once it runs in a staged namespace.
    private func pod(_ recorded: RecordedCase, _ staged: StagedPod) -> NodePod {
        var pod = recorded.pod
        pod.uid = staged.uid
        let addresses = recorded.addresses.map { text in String(text.prefix { $0 != "/" }) }
        return NodePod(
            pod,
            addresses: recorded.family == "v6" ? addresses : [staged.address] + addresses.dropFirst(),
            phase: .running
        )
    }

    @Test(arguments: RecordedCase.UpstreamBackend.allCases)
    func `nothing of upstream's pods is changed or deleted, and all count as redirected, by upstream`(
        backend: RecordedCase.UpstreamBackend
    ) async throws {
        let shown = try ShownProcesses()
        defer { shown.remove() }
        var running: [(staged: StagedPod, pod: NodePod, rules: String)] = []
        for recorded in Self.cases {
            let staged = try await StagedPod()
            _ = try await staged.namespace.command("ip", "addr", "add", "fd10::2/128", "dev", "lo")
            try await recorded.load(backend, into: staged.namespace)
            try shown.show(staged)
            running.append((staged, pod(recorded, staged), try await rules(staged.namespace)))
        }
        #expect(running.count == 20)

        for mode in RepairSettings.Mode.allCases where mode != .off {
            let node = try RepairedNode(RepairSettings(mode: mode), shown: shown)
            node.pods.replaceAll(running.map { $0.pod })
            for second in [0, 1, 60] { await node.check(at: second) }

            #expect(node.asked.all == [])
            for entry in node.pods.entries {
                #expect(entry.summary.state == .redirected, "\(entry.pod.fullName): \(entry.summary.reason)")
                #expect(entry.summary.author == "upstream", "\(entry.pod.fullName): \(entry.summary.reason)")
            }
            #expect(node.repaired("repair", "success") + node.repaired("repair", "fail") == 0)
            #expect(node.pods.counts[.redirected] == 20)
        }

        for (staged, pod, before) in running {
            let after = try await rules(staged.namespace)
            #expect(after == before, "\(pod.fullName)")
        }
    }
}
