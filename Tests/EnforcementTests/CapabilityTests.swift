import LinuxKernel
import TestSupport
import Testing

@testable import Enforcement
@testable import Redirect

@Suite(.requiresNetworkNamespaces) struct CapabilityTests {
    @Test func `this kernel takes the largest rule set`() {
        #expect(Capability.missingFromNFTables() == nil)
    }

    @Test(arguments: SamplePlans.names)
    func `what was committed does not differ from the plan`(name: String) throws {
        let rules = RuleSet(try #require(SamplePlans.all[name]))
        let namespace = try NetworkNamespace.makeNew()
        let socket = try NFTablesSocket(in: namespace)
        try socket.commit(NFTablesBatch(rules, replacing: []))

        let installed = try socket.installedTables(named: Table.Name.allCases.map { $0.nftablesName })

        #expect(rules.differences(from: installed) == [])
    }
}
