import Enforcement
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// TPROXY while the proxy does not listen yet, or not any more.
@Suite(.requiresSeveralUsers) struct TransparentListenerTests {
    static func transparentCases() throws -> [RecordedCase] {
        let cases = try RecordedCase.all().filter { recorded in
            guard recorded.expected.exit == 0, let plan = try recorded.plan(recorded.addresses) else { return false }
            return plan.interceptionMode == .transparentProxy
                && plan.inboundPorts == .all(except: [15_020, 15_021, 15_090])
        }
        return ["v4", "v6"].compactMap { family in cases.first { $0.family == family } }
    }

    @Test(arguments: try transparentCases())
    func `without a listener a connection is dropped, as with iptables, and never reaches the application`(
        recorded: RecordedCase
    ) async throws {
        let plan = try #require(try recorded.plan(recorded.addresses))
        let tried = CaseAttempts(recorded, plan)
        let attempts = tried.attempts.filter { $0.origin == .outside && $0.destination.port == 8_003 }
        let ours = try await PodSandbox(tried.network)
        try Enforcer().apply(plan, in: ours.pod)
        let theirs = try await PodSandbox(tried.network)
        try await theirs.pod.restore(recorded.expected)

        for sandbox in [ours, theirs] {
            let listening = try await sandbox.make(attempts, proxy: tried.proxy, isTransparent: true)
            let silent = try await sandbox.make(
                attempts,
                proxy: tried.proxy,
                silentPorts: [15_006],
                isTransparent: true
            )

            #expect(attempts.count > 1)
            #expect(listening.allSatisfy { $0 != .lost })
            #expect(silent.allSatisfy { $0 == .lost })
        }
        for attempt in attempts {
            #expect(RuleSet(plan).verdict(for: attempt.packet, proxyListens: false).outcome == .dropped)
        }
    }

    @Test func `both families are tried`() throws {
        #expect(try Self.transparentCases().map { $0.family } == ["v4", "v6"])
    }
}
