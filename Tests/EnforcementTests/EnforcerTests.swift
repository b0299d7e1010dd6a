import Foundation
import LinuxKernel
import TestSupport
import Testing

@testable import Enforcement
@testable import Redirect

@Suite(.requiresNetworkNamespaces) struct EnforcerTests {
    let scenarios = EnforcerScenarios(backend: .nftables)

    @Test(arguments: SamplePlans.names)
    func `an applied plan is in force, and removing it leaves nothing`(name: String) async throws {
        try await scenarios.expectRoundTrip(name)
    }

    @Test func `a second plan replaces the first, whatever the first one was`() async throws {
        try await scenarios.expectReplacement()
    }

    @Test func `rules of others are left alone`() async throws {
        try await scenarios.expectOthersAreLeftAlone()
    }
}

/// The same with iptables, which refuses owners that are not mapped.
@Suite(.requiresSeveralUsers) struct IPTablesEnforcerTests {
    let scenarios = EnforcerScenarios(backend: .iptables)

    @Test(arguments: SamplePlans.names)
    func `an applied plan is in force, and removing it leaves nothing`(name: String) async throws {
        try await scenarios.expectRoundTrip(name)
    }

    @Test func `a second plan replaces the first, whatever the first one was`() async throws {
        try await scenarios.expectReplacement()
    }

    @Test func `rules of others are left alone`() async throws {
        try await scenarios.expectOthersAreLeftAlone()
    }

    @Test func `a plan for the other back-end replaces what is there`() async throws {
        let namespace = try scenarios.makeSandbox()
        let enforcer = Enforcer()
        for backend in [RedirectPlan.Backend.iptables, .nftables, .iptables] {
            var plan = try scenarios.plan("tproxy-dual-stack")
            plan.backend = backend
            try enforcer.apply(plan, in: namespace)

            let traces = try enforcer.traces(in: namespace)
            #expect(traces.hasIPTablesChains == (backend == .iptables))
            #expect(traces.ownTables.isEmpty == (backend == .iptables))
        }
    }
}

/// Plans that only one of the two back-ends has trouble with.
extension IPTablesEnforcerTests {
    @Test func `the most owner groups that are allowed are taken by iptables, and one more is not`() throws {
        let most = RedirectFlags.mostOwnerGroups(.iptables)
        for (count, isTaken) in [(most, true), (most + 1, false)] {
            let namespace = try scenarios.makeSandbox()
            var plan = try scenarios.plan("defaults")
            plan.ownerGroups = .only((1...count).map { UInt32($0) })
            if isTaken {
                try Enforcer().apply(plan, in: namespace)
                #expect(try Enforcer().drift(from: plan, in: namespace).differences == [])
            } else {
                #expect(throws: EnforcementError.self) { try Enforcer().apply(plan, in: namespace) }
            }
        }
    }

    /// The programs of this host, but for one that fails whenever it is to restore rules.
    @Test(arguments: [false, true])
    func `tables whose predecessors in iptables cannot be removed go again, unless they replaced tables`(
        hasTables: Bool
    ) async throws {
        let namespace = try scenarios.makeSandbox()
        let before = try scenarios.plan("defaults")
        var wanted = before
        wanted.backend = .nftables
        if hasTables { try Enforcer().apply(wanted, in: namespace) }
        let tables = try await namespace.command("nft", "list", "tables", "inet")
        _ = try await namespace.command("iptables-nft-restore", "--noflush", input: Self.rules(before))
        let programs = try BrokenPrograms()

        let error = #expect(throws: EnforcementError.self) {
            try Enforcer(programs: programs.programs).apply(wanted, in: namespace)
        }

        #expect(error?.description.contains("iptables-nft-restore") == true, "\(String(describing: error))")
        #expect(try await namespace.command("nft", "list", "tables", "inet") == tables)
        #expect(try await namespace.command("iptables-nft-save", "-t", "nat").contains("-A ISTIO_OUTPUT"))
        #expect(tables.isEmpty != hasTables)
    }

    private static func rules(_ plan: RedirectPlan) -> String {
        RuleSet(plan).iptablesTables(.ipv4).map(\.restoreText).joined()
    }

    /// `iptables-save` of this host, and an `iptables-restore` that fails.
    private final class BrokenPrograms {
        private let folder: URL

        init() throws {
            folder = URL(filePath: "/tmp").appending(path: "broken-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            // Links, since a file that was just written may still be open in a child of another test (ETXTBSY).
            try link("iptables-nft-save", to: "/usr/sbin/iptables-nft-save")
            try link("iptables-nft-restore", to: "/bin/false")
        }

        deinit {
            // What is left is in /tmp.
            try? FileManager.default.removeItem(at: folder)
        }

        var programs: IPTablesPrograms { IPTablesPrograms(directories: [folder.path(percentEncoded: false)]) }

        private func link(_ name: String, to program: String) throws {
            try FileManager.default.createSymbolicLink(
                at: folder.appending(path: name),
                withDestinationURL: URL(filePath: program)
            )
        }
    }
}

/// What holds with either back-end.
struct EnforcerScenarios {
    let backend: RedirectPlan.Backend
    private let enforcer = Enforcer()

    init(backend: RedirectPlan.Backend) { self.backend = backend }

    /// A namespace as a runtime hands it over: `lo` is up.
    func makeSandbox() throws -> NetworkNamespace {
        let namespace = try NetworkNamespace.makeNew()
        try RouteSocket(in: namespace).setLoopbackUp()
        return namespace
    }

    func plan(_ name: String) throws -> RedirectPlan {
        var plan = try #require(SamplePlans.all[name])
        plan.backend = backend
        return plan
    }

    func expectRoundTrip(_ name: String) async throws {
        let namespace = try makeSandbox()
        let plan = try plan(name)
        let before = try await State(namespace)

        try enforcer.apply(plan, in: namespace)
        let drift = try enforcer.drift(from: plan, in: namespace)
        let isInForce = try enforcer.evidence(in: namespace).isInForce
        try enforcer.remove(plan, from: namespace)

        #expect(drift.differences == [])
        #expect(isInForce)
        let after = try await State(namespace)
        #expect(after == before)
    }

    func expectReplacement() async throws {
        let namespace = try makeSandbox()
        for name in SamplePlans.names + SamplePlans.names.reversed() {
            let plan = try plan(name)

            try enforcer.apply(plan, in: namespace)

            let drift = try enforcer.drift(from: plan, in: namespace)
            #expect(drift.differences == [], "\(name)")
        }
        try enforcer.remove(RedirectPlan(backend: backend), from: namespace)
        let after = try await State(namespace)
        let fresh = try await State(try makeSandbox())
        #expect(after == fresh)
    }

    func expectOthersAreLeftAlone() async throws {
        let namespace = try makeSandbox()
        let foreign = "*nat\n:OTHERS - [0:0]\n-A PREROUTING -p udp -m udp --dport 5000 -j OTHERS\nCOMMIT\n"
        _ = try await namespace.command("iptables-nft-restore", "--noflush", input: foreign)
        _ = try await namespace.command("nft", "add table inet others")
        let before = try await State(namespace)
        let plan = try plan("tproxy-dual-stack")

        try enforcer.apply(plan, in: namespace)
        try enforcer.apply(plan, in: namespace)
        let listed = try await namespace.command("iptables-nft-save", "-t", "nat")
        try enforcer.remove(plan, from: namespace)

        #expect(listed.contains("-A PREROUTING -p udp -m udp --dport 5000 -j OTHERS"))
        let after = try await State(namespace)
        #expect(after == before)
    }
}

/// What can be seen of a namespace from outside.
private struct State: Equatable {
    var rules: String
    var routing: String

    init(_ namespace: borrowing NetworkNamespace) async throws {
        // iptables leaves its empty tables behind; those say nothing.
        rules = try await namespace.command("nft", "-s", "list", "ruleset").split(separator: "\n")
            .filter { $0.contains("istio") || $0.contains("ISTIO") || $0.contains("OTHERS") || $0.contains("others") }
            .joined(separator: "\n")
        routing = ""
        routing += try await namespace.command("ip", "-o", "addr", "show", "dev", "lo")
        routing += try await namespace.command("ip", "rule")
        routing += try await namespace.command("ip", "-6", "rule")
        routing += try await namespace.command("ip", "-4", "route", "show", "table", "all")
        routing += try await namespace.command("ip", "-6", "route", "show", "table", "all")
    }
}
