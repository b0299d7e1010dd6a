import TestSupport
import Testing

@testable import Redirect

@Suite struct RuleSetTests {
    @Test(arguments: SamplePlans.names)
    func `rules are the golden ones`(name: String) throws {
        let rules = RuleSet(try #require(SamplePlans.all[name]))

        try expectGolden(rules.nftablesText, "\(name).nft")
        for family in AddressFamily.allCases {
            let text = rules.iptablesTables(family).map { $0.restoreText }.joined()
            try expectGolden(text, "\(name).\(family.rawValue).rules")
        }
    }

    @Test func `lists of any length make the same number of nftables rules`() throws {
        let few = RuleSet(Self.plan(excluding: 2))
        let many = RuleSet(Self.plan(excluding: 1000))

        #expect(Self.counts(few) == Self.counts(many))
    }

    static func plan(excluding count: Int) -> RedirectPlan {
        RedirectPlan(
            excludedOutboundRanges: (0..<count).compactMap {
                AddressRange(IPAddress(.ipv4, bits: 0x0B00_0005 + UInt128($0) * 0x200), prefixLength: 24)
            },
            excludedOutboundPorts: (0..<count).map { UInt16(20_000 + $0) }
        )
    }

    static func counts(_ rules: RuleSet) -> [String: Int] {
        var counts: [String: Int] = [:]
        for table in rules.tables {
            for chain in table.chains { counts["\(table.name) \(chain.name)"] = chain.rules.count }
        }
        return counts
    }

    @Test func `ranges that overlap or touch become one interval`() {
        let merged = AddressInterval.merged(
            SamplePlans.ranges("10.1.0.0/16", "10.0.0.5/16", "10.0.7.0/24", "10.3.0.0/16", "255.255.255.255/32")
        )

        #expect(
            merged.map { $0.description } == [
                "10.0.0.0-10.1.255.255", "10.3.0.0-10.3.255.255", "255.255.255.255",
            ]
        )
    }
}
