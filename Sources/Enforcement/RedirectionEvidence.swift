internal import LinuxKernel
internal import Redirect

/// Signs in a namespace that somebody redirects its traffic.
package struct RedirectionEvidence: Equatable, Sendable {
    /// Tables with our names, which are also those of upstream's nf_tables back-end.
    let ownTables: [Table.Name]

    /// Whether `iptables-nft` has made chains called `ISTIO_...`.
    package let hasIPTablesChains: Bool

    /// Whether redirection of outbound traffic is in force.
    package let isInForce: Bool

    /// Whether there is no sign at all.
    package var isFresh: Bool { ownTables.isEmpty && !hasIPTablesChains }

    init(_ socket: borrowing NFTablesSocket) throws(KernelError) {
        let tables = try socket.tableNames()
        ownTables = Table.Name.allCases.filter { tables.contains($0.nftablesName) }
        var outputs = 0
        var chains = 0
        for family in [NFTablesFamily.ipv4, .ipv6] {
            for chain in try socket.chainNames(family) where chain.chain.hasPrefix("ISTIO_") {
                chains += 1
                if chain.table == "nat", chain.chain == Chain.Name.istioOutput.iptablesName { outputs += 1 }
            }
        }
        hasIPTablesChains = chains > 0
        isInForce = outputs > 0 || ownTables.contains(.nat)
    }
}
