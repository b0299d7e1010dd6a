internal import CLinuxKernel

/// Changes to a rule set that the kernel applies together or not at all, in family `inet`.
///
/// ```swift
/// var batch = NFTablesBatch()
/// batch.replaceTable("mesh")
/// batch.addChain("output", to: "mesh", base: NFTablesBaseChain(.nat, at: .output, priority: .destinationNAT))
/// batch.addRule([.counter, .verdict(.return)], to: "output", in: "mesh")
/// try sockets.rules.commit(batch)
/// ```
package struct NFTablesBatch: Hashable, Sendable {
    /// A change, kept as a value so that a refusal by the kernel can say which one it refused.
    enum Change: Hashable, Sendable {
        case addTable(String)
        case deleteTable(String)
        case addChain(String, table: String, base: NFTablesBaseChain?)
        case addSet(NFTablesSet, table: String, id: UInt32)
        case addElements(set: String, table: String, id: UInt32, ArraySlice<NFTablesSet.Boundary>)
        case addRule([NFTablesExpression], chain: String, table: String)
    }

    private(set) var changes: [Change] = []
    private var setCount: UInt32 = 0

    package init() {}

    package var isEmpty: Bool { changes.isEmpty }

    /// Adds a table, or does nothing if there is one of this name.
    package mutating func addTable(_ name: String) {
        changes.append(.addTable(name))
    }

    /// Deletes a table and everything in it; the kernel refuses if there is none.
    package mutating func deleteTable(_ name: String) {
        changes.append(.deleteTable(name))
    }

    /// Deletes a table and everything in it if it is there.
    package mutating func deleteTableIfPresent(_ name: String) {
        addTable(name)
        deleteTable(name)
    }

    /// Makes an empty table, whatever was there.
    package mutating func replaceTable(_ name: String) {
        deleteTableIfPresent(name)
        addTable(name)
    }

    /// Adds a chain that other chains jump to, or with `base` one that packets enter by themselves.
    package mutating func addChain(_ name: String, to table: String, base: NFTablesBaseChain? = nil) {
        changes.append(.addChain(name, table: table, base: base))
    }

    /// Adds a set with its elements.
    package mutating func addSet(_ set: NFTablesSet, to table: String) {
        setCount += 1
        changes.append(.addSet(set, table: table, id: setCount))
        var rest = set.boundaries[...]
        while !rest.isEmpty {
            let part = rest.prefix(NFTablesSet.boundariesPerMessage)
            changes.append(.addElements(set: set.name, table: table, id: setCount, part))
            rest = rest.dropFirst(part.count)
        }
    }

    /// Adds a rule at the end of a chain.
    ///
    /// A rule that holds ``NFTablesExpression/other(_:)`` cannot be written; that step is left out.
    package mutating func addRule(_ expressions: [NFTablesExpression], to chain: String, in table: String) {
        changes.append(.addRule(expressions, chain: chain, table: table))
    }
}

/// Where a base chain meets packets.
package struct NFTablesBaseChain: Hashable, Sendable {
    package let kind: Kind
    package let hook: Hook
    package let priority: Priority

    package init(_ kind: Kind, at hook: Hook, priority: Priority) {
        self.kind = kind
        self.hook = hook
        self.priority = priority
    }

    package enum Kind: String, Hashable, Sendable {
        case filter
        case nat

        /// Looks up the route again if a rule changed the packet's mark.
        case route
    }

    /// Where in a packet's path a chain runs (`enum nf_inet_hooks`).
    package enum Hook: UInt32, Hashable, Sendable {
        case prerouting = 0
        case input = 1
        case forward = 2
        case output = 3
        case postrouting = 4

        package var name: String {
            switch self {
            case .prerouting: "prerouting"
            case .input: "input"
            case .forward: "forward"
            case .output: "output"
            case .postrouting: "postrouting"
            }
        }
    }

    /// The order of chains on one hook, lowest first.
    package struct Priority: RawRepresentable, Hashable, Sendable {
        package let rawValue: Int32

        package init(rawValue: Int32) { self.rawValue = rawValue }

        /// Before connection tracking (`NF_IP_PRI_RAW`).
        package static let raw = Priority(rawValue: -300)

        /// After connection tracking, before NAT (`NF_IP_PRI_MANGLE`).
        package static let mangle = Priority(rawValue: -150)

        /// After connection tracking, before filtering (`NF_IP_PRI_NAT_DST`).
        package static let destinationNAT = Priority(rawValue: -100)
    }
}
