import LinuxKernel
import TestSupport
import Testing

@Suite(.requiresNetworkNamespaces) struct NFTablesSocketTests {
    @Test func `a committed chain is listed by nft`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        var batch = NFTablesBatch()
        batch.addTable("mesh")
        batch.addChain("output", to: "mesh", base: NFTablesBaseChain(.nat, at: .output, priority: .destinationNAT))

        try NFTablesSocket(in: namespace).commit(batch)

        let ruleset = try await namespace.listRuleset()
        #expect(
            ruleset == """
                table inet mesh {
                \tchain output {
                \t\ttype nat hook output priority -100; policy accept;
                \t}
                }

                """
        )
    }

    @Test func `a refused change is named, and nothing of its batch remains`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        var batch = NFTablesBatch()
        batch.addTable("mesh")
        batch.deleteTable("no-such-table")
        batch.addTable("another")

        let socket = try NFTablesSocket(in: namespace)
        let error = refusal { () throws(KernelError) in try socket.commit(batch) }

        #expect(error == KernelError("delete table inet no-such-table", .noSuchEntry))
        let ruleset = try await namespace.listRuleset()
        #expect(ruleset == "")
    }

    @Test func `a refused rule is named in the words of nft`() throws {
        let socket = try NFTablesSocket(in: try NetworkNamespace.makeNew())
        var batch = NFTablesBatch()
        batch.addTable("mesh")
        batch.addChain("output", to: "mesh")
        batch.addRule(
            .transportProtocol(6) + [
                .payload(.destinationPort), .lookup(set: "ports", inverted: false), .counter, .verdict(.return),
            ],
            to: "output",
            in: "mesh"
        )

        let error = refusal { () throws(KernelError) in try socket.commit(batch) }

        #expect(error == KernelError("add rule inet mesh output: tcp dport @ports counter return", .noSuchEntry))
    }
}
