/// A table as the kernel has it.
package struct InstalledTable: Hashable, Sendable {
    package let name: String

    /// Whether it belongs to a process, which alone may change it (`NFT_TABLE_F_OWNER`).
    package let isOwned: Bool

    /// Whether its chains are switched off (`NFT_TABLE_F_DORMANT`).
    package let isDormant: Bool

    /// In the order in which they were added.
    package let chains: [InstalledChain]

    /// Anonymous sets included.
    package let sets: [NFTablesSet]

    /// Names of the sets of a kind that ``NFTablesSet`` cannot say, such as maps.
    package let otherSets: [String]
}

/// A chain as the kernel has it.
package struct InstalledChain: Hashable, Sendable {
    package let name: String

    /// Nil for a chain that others jump to.
    package let base: NFTablesBaseChain?

    /// Whether a packet that reaches the end of this base chain is dropped.
    package let dropsByDefault: Bool

    package let rules: [InstalledRule]
}

/// A rule as the kernel has it.
package struct InstalledRule: Hashable, Sendable {
    /// The number that names it in its table.
    package let handle: UInt64

    package let expressions: [NFTablesExpression]

    /// How much the rule's counter has counted, if it has one.
    package let counted: Counted?

    package struct Counted: Hashable, Sendable {
        package let packets: UInt64
        package let bytes: UInt64
    }
}

/// The families of tables (`NFPROTO_*`).
package enum NFTablesFamily: UInt8, Hashable, Sendable, CaseIterable {
    /// IPv4 and IPv6 together.
    case inet = 1
    case ipv4 = 2
    case ipv6 = 10
}
