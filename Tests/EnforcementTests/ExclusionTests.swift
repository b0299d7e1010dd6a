import Enforcement
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// What the kernel itself lists where a pod excludes much.
@Suite(.requiresNetworkNamespaces) struct ExclusionTests {
    /// Ranges with host bits, every tenth of which holds the next one and touches the one after; and as many ports.
    static func plan(excluding count: Int) -> RedirectPlan {
        RedirectPlan(
            inboundPorts: .all(except: (0..<count).map { UInt16(20_000 + 2 * $0) }),
            excludedOutboundRanges: (0..<count).compactMap { number in
                AddressRange(
                    IPAddress(.ipv4, bits: 0x0B00_0005 + UInt128(number) * 0x400),
                    prefixLength: number % 10 == 0 ? 21 : 23
                )
            },
            excludedOutboundPorts: (0..<count).map { UInt16(20_000 + 2 * $0) },
            includedOutboundPorts: (0..<count).map { UInt16(20_001 + 2 * $0) }
        )
    }

    /// The tables that the kernel has after `plan` was applied.
    static func tables(_ plan: RedirectPlan) throws -> [InstalledTable] {
        let namespace = try NetworkNamespace.makeNew()
        try Enforcer().apply(plan, in: namespace)
        return try NFTablesSocket(in: namespace).installedTables(named: Table.Name.allCases.map { $0.nftablesName })
    }

    static func ruleCounts(_ tables: [InstalledTable]) -> [String: Int] {
        let counts = tables.flatMap { table in
            table.chains.map { chain in ("\(table.name) \(chain.name)", chain.rules.count) }
        }
        return Dictionary(uniqueKeysWithValues: counts)
    }

    @Test func `a thousand of each make as many rules in every chain as one of each`() throws {
        let few = try Self.tables(Self.plan(excluding: 1))
        let many = try Self.tables(Self.plan(excluding: 1_000))

        #expect(Self.ruleCounts(many) == Self.ruleCounts(few))
        #expect(Self.ruleCounts(few)["istio-proxy-nat istio-output"] != 0)
    }

    @Test func `the thousand are in the kernel's sets, ranges that overlap or touch as one`() throws {
        let sets = try Self.tables(Self.plan(excluding: 1_000)).flatMap { $0.sets }

        let counts = Dictionary(uniqueKeysWithValues: sets.map { ($0.name, $0.elements.count) })

        #expect(
            counts == [
                "excluded-inbound-ports": 1_000, "excluded-outbound-ports": 1_000, "included-outbound-ports": 1_000,
                "excluded-outbound-ranges-v4": 800,
            ]
        )
    }
}
