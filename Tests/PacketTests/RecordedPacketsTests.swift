import Conformance
import Enforcement
import Foundation
import LinuxKernel
import Operator
import Redirect
import TestSupport
import Testing

/// Where real connections land under our nftables rules, under upstream's recorded iptables rules, and in the model.
@Suite(.tags(.s1, .s32, .s36), .requiresSeveralUsers) struct RecordedPacketsTests {
    /// Sandboxes at the same time: each pair needs some hundreds of descriptors, and a processor is soon busy.
    static let width = 6

    static let fewestAttempts = 40
    static let mostDifferencesShown = 200

    @Test(.timeLimit(.minutes(5)))
    func `every connection lands where upstream's rules send it, and where the model says`() async throws {
        let cases = try RecordedCase.all().filter { $0.expected.exit == 0 }

        var attempts = 0
        var differences: [String] = []
        try await withThrowingTaskGroup(of: ComparedPod.self) { group in
            var waiting = cases[...]
            for recorded in waiting.prefix(Self.width) { group.addTask { try await ComparedPod(recorded) } }
            waiting = waiting.dropFirst(Self.width)
            while let compared = try await group.next() {
                if let recorded = waiting.popFirst() { group.addTask { try await ComparedPod(recorded) } }
                #expect(compared.attempts >= Self.fewestAttempts, "too few in \(compared.id)")
                attempts += compared.attempts
                differences += compared.differences
            }
        }
        print("packets: \(attempts) attempts in \(cases.count) pods, \(differences.count) differ")

        #expect(cases.count == 108)
        for difference in differences.prefix(Self.mostDifferencesShown) { Issue.record("\(difference)") }
        #expect(differences.isEmpty)
    }

    @Test func `one port that is excluded too much is noticed`() async throws {
        let recorded = try #require(
            try RecordedCase.all().first { try $0.expected.exit == 0 && $0.plan($0.addresses) != nil }
        )
        var plan = try #require(try recorded.plan(recorded.addresses))
        plan.excludedOutboundPorts.append(8_000)

        let compared = try await ComparedPod(recorded, altered: plan)

        #expect(compared.differences.count > 1)
        #expect(compared.differences.allSatisfy { $0.contains(":8000 ") })
    }
}

/// One recorded pod in two sandboxes: with our rules, and with upstream's.
struct ComparedPod {
    let id: String
    private(set) var attempts = 0

    /// A line for each attempt that landed elsewhere.
    private(set) var differences: [String] = []

    init(_ recorded: RecordedCase) async throws {
        id = recorded.id
        try await compare(recorded, recorded.plan(recorded.addresses))
        if recorded.addresses.count > 1 {
            try await compare(recorded, recorded.plan(recorded.addresses.reversed()))
        }
    }

    /// A pod whose rules are upstream's, and those of another plan on our side.
    init(_ recorded: RecordedCase, altered plan: RedirectPlan) async throws {
        id = recorded.id
        try await compare(recorded, plan)
    }

    private mutating func compare(_ recorded: RecordedCase, _ plan: RedirectPlan?) async throws {
        // A pod that is left alone has no rules on either side, and is asked about like any other.
        let rules = plan.map { RuleSet($0) } ?? .none
        let tried = CaseAttempts(recorded, plan ?? RedirectPlan())
        let isTransparent = plan?.interceptionMode == .transparentProxy

        let ours = try await PodSandbox(tried.network)
        if let plan { try Enforcer().apply(plan, in: ours.pod) }
        let theirs = try await PodSandbox(tried.network)
        try await theirs.pod.restore(recorded.expected)

        let ourLandings = try await ours.make(tried.attempts, proxy: tried.proxy, isTransparent: isTransparent)
        let theirLandings = try await theirs.make(tried.attempts, proxy: tried.proxy, isTransparent: isTransparent)

        attempts += tried.attempts.count
        for (index, attempt) in tried.attempts.enumerated() {
            let trace = ConnectionTrace(attempt, rules, tried.network)
            if trace.packet != attempt.packet { differences.append("\(id): \(attempt): trace has \(trace.packet)") }
            let model = trace.verdict.outcome
            let (our, their) = (ourLandings[index], theirLandings[index])
            if our != their {
                differences.append("\(id): \(attempt): ours \(our), upstream's \(their), model \(model)")
            } else if !our.agrees(with: rules, about: attempt) {
                differences.append("\(id): \(attempt): both \(our), model \(model)")
            }
        }
    }
}

extension ConnectionTrace {
    /// What `istio-cnictl trace` says about an attempt.
    fileprivate init(_ attempt: ConnectionAttempt, _ rules: RuleSet, _ network: SandboxNetwork) {
        let direction: Request.Direction =
            attempt.origin == .pod
            ? .outbound(user: attempt.owner.user, group: attempt.owner.group, from: attempt.source)
            : .inbound(from: attempt.source)
        // Those of eth0; to an address of another interface the trace is told the way.
        let own = network.families.map { SandboxNetwork.podAddress($0) }
        let isUsual =
            attempt.interface == "eth0" || own.contains(attempt.destination.address)
            || attempt.destination.address.isLoopback
        self.init(
            Request(
                to: attempt.destination.address,
                port: attempt.destination.port,
                attempt.transport,
                direction
            ),
            rules,
            addresses: own.map { $0.description },
            interface: attempt.origin == .pod && isUsual ? nil : attempt.interface
        )
    }
}

extension RecordedCase {
    /// The plan, or nil for a pod that is left alone.
    func plan(_ addresses: [String]) throws -> RedirectPlan? {
        // Excluded by the recorded configuration, which the plugin itself reads.
        guard pod.namespace != "kube-system" else { return nil }
        switch try Decision(pod: pod, addresses: addresses, backend: .nftables) {
        case .skip: return nil
        case .redirect(let plan, _): return plan
        }
    }
}

extension NetworkNamespace {
    /// Puts upstream's recorded rules, routes and addresses in force.
    func restore(_ recorded: RecordedCase.Expectation) async throws {
        for (program, lines) in [
            ("iptables-nft-restore", recorded.iptables), ("ip6tables-nft-restore", recorded.ip6tables),
        ] where !lines.isEmpty {
            _ = try await command(program, input: lines.joined(separator: "\n") + "\n")
        }
        let addresses = recorded.lo.filter { $0.hasPrefix("::6/") }.map { "address add \($0) dev lo nodad" }
        for (family, rules, routes, more) in [
            ("-4", recorded.rule4, recorded.table133v4, []), ("-6", recorded.rule6, recorded.table133v6, addresses),
        ] {
            let marks = rules.filter { $0.contains("fwmark") }
                .map { "rule add priority \($0.replacing(":\tfrom all", with: ""))" }
            let locals = routes.map { "route add \($0.replacing(" pref medium", with: "")) table 133" }
            let batch = marks + locals + more
            guard !batch.isEmpty else { continue }
            _ = try await command("ip", family, "-batch", "-", input: batch.joined(separator: "\n"))
        }
    }
}
