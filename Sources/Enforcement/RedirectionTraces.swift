internal import LinuxKernel
internal import Redirect

/// What is left or in force of redirection in a namespace, as far as its names show.
///
/// Cheap, since every ADD asks; whether packets go anywhere is what ``RedirectionEvidence`` says.
package struct RedirectionTraces: Equatable, Sendable {
    /// Tables with our names, which are also those of upstream's nf_tables back-end.
    let ownTables: [Table.Name]

    /// Whether `iptables-nft` has made chains called `ISTIO_...`.
    package let hasIPTablesChains: Bool

    /// Whether there is no sign at all.
    package var isFresh: Bool { ownTables.isEmpty && !hasIPTablesChains }

    init(_ socket: borrowing NFTablesSocket) throws(KernelError) {
        let tables = try socket.tableNames()
        ownTables = Table.Name.allCases.filter { tables.contains($0.nftablesName) }
        var chains = 0
        for family in [NFTablesFamily.ipv4, .ipv6] {
            for chain in try socket.chainNames(family) where chain.chain.hasPrefix("ISTIO_") { chains += 1 }
        }
        hasIPTablesChains = chains > 0
    }
}
