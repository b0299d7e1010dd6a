import Foundation
import LinuxKernel
import TestSupport
import Testing

@testable import Enforcement
@testable import Redirect

@Suite(.requiresNetworkNamespaces) struct NFTablesRulesTests {
    static let golden = URL(filePath: #filePath)
        .deletingLastPathComponent().appending(path: "../RedirectTests/Golden").standardized

    static func scripts() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: golden.path(percentEncoded: false))
            .filter { $0.hasSuffix(".nft") }.sorted()
    }

    /// A golden file says only that the rules have not changed.
    ///
    /// This asks `nft` whether they are rules, and whether loading replaces.
    @Test(arguments: try scripts())
    func `nft loads every golden file, twice, with the same outcome`(name: String) async throws {
        let namespace = try NetworkNamespace.makeNew()
        let script = Self.golden.appending(path: name).path(percentEncoded: false)

        _ = try await namespace.command("nft", "-f", script)
        let first = try await namespace.listRuleset()
        _ = try await namespace.command("nft", "-f", script)
        let second = try await namespace.listRuleset()

        #expect(!first.isEmpty)
        #expect(first == second)
    }

    @Test(arguments: SamplePlans.names)
    func `netlink and nft make the same rules`(name: String) async throws {
        let rules = RuleSet(try #require(SamplePlans.all[name]))
        let ours = try NetworkNamespace.makeNew()
        let theirs = try NetworkNamespace.makeNew()

        try NFTablesSocket(in: ours).commit(NFTablesBatch(rules, replacing: []))
        _ = try await theirs.command("nft", "-f", "-", input: rules.nftablesText)

        let listed = try await ours.listRuleset()
        let expected = try await theirs.listRuleset()
        #expect(listed == expected)
    }
}
