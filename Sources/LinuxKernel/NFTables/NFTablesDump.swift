internal import CLinuxKernel

/// Reads back what is in force.
extension NFTablesSocket {
    /// The names of all tables of a family; one request.
    package func tableNames(_ family: NFTablesFamily = .inet) throws(KernelError) -> [String] {
        var names: [String] = []
        for table in try list("list tables", NFT_MSG_GETTABLE, family) {
            if let name = table.string(UInt16(NFTA_TABLE_NAME.rawValue)) { names.append(name) }
        }
        return names
    }

    /// The names of all chains of a family with the tables that they are in; one request.
    ///
    /// This shows chains that `iptables-nft` made, too.
    package func chainNames(_ family: NFTablesFamily) throws(KernelError) -> [ChainName] {
        var names: [ChainName] = []
        for chain in try list("list chains", NFT_MSG_GETCHAIN, family) {
            guard let table = chain.string(UInt16(NFTA_CHAIN_TABLE.rawValue)),
                let name = chain.string(UInt16(NFTA_CHAIN_NAME.rawValue))
            else { continue }
            names.append(ChainName(table: table, chain: name))
        }
        return names
    }

    package struct ChainName: Hashable, Sendable {
        package let table: String
        package let chain: String
    }

    /// Those of the named tables of a family that exist, with all that is in them, as of one moment.
    ///
    /// - Parameters:
    ///   - names: Those of the tables.
    ///   - family: Theirs.
    ///   - includesSets: Whether sets are read too; where not, the result has none.
    /// - Returns: What there is.
    /// - Throws: ``Errno/interrupted`` if they changed each time they were read.
    package func installedTables(
        named names: [String],
        family: NFTablesFamily = .inet,
        includesSets: Bool = true
    ) throws(KernelError) -> [InstalledTable] {
        for _ in 1...Self.attempts {
            let before = try generation()
            let tables = try readTables(names, family, includesSets: includesSets)
            if try generation() == before { return tables }
        }
        throw KernelError("list tables", .interrupted, explanation: "they changed each time they were read")
    }

    private static let attempts = 5

    /// The number of the rule set's current version.
    private func generation() throws(KernelError) -> UInt32 {
        let operation = "read version of rules"
        let type = UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_GETGEN.rawValue)
        let message = try netlink.ask(operation: operation, type: type) { writer in
            writer.appendFamilyHeader(family: 0, resource: 0)
        }
        guard let number = try Self.attributes(of: message, operation).bigEndian(UInt16(NFTA_GEN_ID.rawValue))
        else { throw KernelError(operation, .badMessage) }
        return number
    }

    private func readTables(
        _ names: [String],
        _ family: NFTablesFamily,
        includesSets: Bool
    ) throws(KernelError) -> [InstalledTable] {
        var tables: [InstalledTable] = []
        let chains = try list("list chains", NFT_MSG_GETCHAIN, family)
        for table in try list("list tables", NFT_MSG_GETTABLE, family) {
            guard let name = table.string(UInt16(NFTA_TABLE_NAME.rawValue)), names.contains(name) else { continue }
            let flags = try table.bigEndian(UInt16(NFTA_TABLE_FLAGS.rawValue)) ?? 0
            let sets = includesSets ? try readSets(of: name, family) : (known: [], other: [])
            tables.append(
                InstalledTable(
                    name: name,
                    isOwned: flags & UInt32(NFT_TABLE_F_OWNER.rawValue) != 0,
                    isDormant: flags & UInt32(NFT_TABLE_F_DORMANT.rawValue) != 0,
                    chains: try readChains(chains, of: name, family),
                    sets: sets.known,
                    otherSets: sets.other
                )
            )
        }
        return tables
    }

    private func readChains(
        _ chains: [NetlinkAttributes],
        of table: String,
        _ family: NFTablesFamily
    ) throws(KernelError) -> [InstalledChain] {
        let rules = try readRules(of: table, family)
        var result: [InstalledChain] = []
        for chain in chains where chain.string(UInt16(NFTA_CHAIN_TABLE.rawValue)) == table {
            guard let name = chain.string(UInt16(NFTA_CHAIN_NAME.rawValue)) else { continue }
            let policy = try chain.bigEndian(UInt16(NFTA_CHAIN_POLICY.rawValue))
            result.append(
                InstalledChain(
                    name: name,
                    base: try NFTablesBaseChain(chain),
                    dropsByDefault: policy == UInt32(bitPattern: NFTablesVerdict.dropCode),
                    rules: rules[name] ?? []
                )
            )
        }
        return result
    }

    /// The rules of a table by chain, in order.
    private func readRules(
        of table: String,
        _ family: NFTablesFamily
    ) throws(KernelError) -> [String: [InstalledRule]] {
        var result: [String: [InstalledRule]] = [:]
        let operation = "list rules of table \(table)"
        let rules = try list(operation, NFT_MSG_GETRULE, family) { writer in
            writer.attribute(UInt16(NFTA_RULE_TABLE.rawValue), string: table)
        }
        for rule in rules {
            guard rule.string(UInt16(NFTA_RULE_TABLE.rawValue)) == table,
                let chain = rule.string(UInt16(NFTA_RULE_CHAIN.rawValue))
            else { continue }
            result[chain, default: []].append(try InstalledRule(rule))
        }
        return result
    }

    private func readSets(
        of table: String,
        _ family: NFTablesFamily
    ) throws(KernelError) -> (known: [NFTablesSet], other: [String]) {
        var known: [NFTablesSet] = []
        var other: [String] = []
        let sets = try list("list sets of table \(table)", NFT_MSG_GETSET, family) { writer in
            writer.attribute(UInt16(NFTA_SET_TABLE.rawValue), string: table)
        }
        for set in sets where set.string(UInt16(NFTA_SET_TABLE.rawValue)) == table {
            guard let name = set.string(UInt16(NFTA_SET_NAME.rawValue)) else { continue }
            let flags = try set.bigEndian(UInt16(NFTA_SET_FLAGS.rawValue)) ?? 0
            let type = try set.bigEndian(UInt16(NFTA_SET_KEY_TYPE.rawValue)) ?? 0
            guard flags & ~NFTablesSet.knownFlags == 0, let keyType = NFTablesSet.KeyType(rawValue: type) else {
                other.append(name)
                continue
            }
            let isInterval = flags & UInt32(NFT_SET_INTERVAL.rawValue) != 0
            let boundaries = try readBoundaries(of: name, in: table, family, byteCount: keyType.byteCount)
            let elements = NFTablesSet.elements(
                from: boundaries,
                isInterval: isInterval,
                byteCount: keyType.byteCount
            )
            known.append(NFTablesSet(name, of: keyType, isInterval: isInterval, elements: elements))
        }
        return (known, other)
    }

    private func readBoundaries(
        of set: String,
        in table: String,
        _ family: NFTablesFamily,
        byteCount: Int
    ) throws(KernelError) -> [NFTablesSet.Boundary] {
        var result: [NFTablesSet.Boundary] = []
        let operation = "list elements of set \(set) of table \(table)"
        let parts = try list(operation, NFT_MSG_GETSETELEM, family) { writer in
            writer.attribute(UInt16(NFTA_SET_ELEM_LIST_TABLE.rawValue), string: table)
            writer.attribute(UInt16(NFTA_SET_ELEM_LIST_SET.rawValue), string: set)
        }
        for part in parts { result += try NFTablesSet.boundaries(in: part, byteCount: byteCount) }
        return result
    }

    /// The attributes of every message of a list.
    private func list(
        _ operation: String,
        _ type: nf_tables_msg_types,
        _ family: NFTablesFamily,
        filter: (inout NetlinkWriter) -> Void = { _ in }
    ) throws(KernelError) -> [NetlinkAttributes] {
        let kind = UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(type.rawValue)
        let messages = try netlink.dump(operation: operation, type: kind) { writer in
            writer.appendFamilyHeader(family: family.rawValue, resource: 0)
            filter(&writer)
        }
        var result: [NetlinkAttributes] = []
        result.reserveCapacity(messages.count)
        for message in messages { result.append(try Self.attributes(of: message, operation)) }
        return result
    }

    static func attributes(
        of message: NetlinkMessage,
        _ operation: String
    ) throws(KernelError) -> NetlinkAttributes {
        var reader = NetlinkReader(message.body, operation: operation)
        try reader.skipHeader(4)  // struct nfgenmsg
        return try reader.attributes()
    }
}

extension NFTablesSet {
    fileprivate static let knownFlags =
        UInt32(NFT_SET_INTERVAL.rawValue) | UInt32(NFT_SET_ANONYMOUS.rawValue) | UInt32(NFT_SET_CONSTANT.rawValue)

    /// Reads one message of the list of a set's elements.
    static func boundaries(in part: NetlinkAttributes, byteCount: Int) throws(KernelError) -> [Boundary] {
        guard let list = try part.nested(UInt16(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue)) else { return [] }
        var result: [Boundary] = []
        for element in try list.elements(ofType: UInt16(NFTA_LIST_ELEM.rawValue)) {
            guard let key = try element.data(UInt16(NFTA_SET_ELEM_KEY.rawValue)), key.count == byteCount else {
                throw KernelError(part.operation, .badMessage, explanation: "an element has a wrong size")
            }
            let flags = try element.bigEndian(UInt16(NFTA_SET_ELEM_FLAGS.rawValue)) ?? 0
            let isEnd = flags & UInt32(NFT_SET_ELEM_INTERVAL_END.rawValue) != 0
            result.append(Boundary(key: key, isEnd: isEnd))
        }
        return result
    }
}

extension NFTablesBaseChain {
    /// Reads where a chain meets packets, or nil for a chain that none enters by itself.
    init?(_ chain: NetlinkAttributes) throws(KernelError) {
        guard let hook = try chain.nested(UInt16(NFTA_CHAIN_HOOK.rawValue)) else { return nil }
        guard let number = try hook.bigEndian(UInt16(NFTA_HOOK_HOOKNUM.rawValue)),
            let place = Hook(rawValue: number),
            let priority = try hook.bigEndian(UInt16(NFTA_HOOK_PRIORITY.rawValue)),
            let kind = Kind(rawValue: chain.string(UInt16(NFTA_CHAIN_TYPE.rawValue)) ?? "")
        else { return nil }
        self.init(kind, at: place, priority: Priority(rawValue: Int32(bitPattern: priority)))
    }
}

extension InstalledRule {
    init(_ rule: NetlinkAttributes) throws(KernelError) {
        handle = try rule.bigEndian(UInt16(NFTA_RULE_HANDLE.rawValue), as: UInt64.self) ?? 0
        var expressions: [NFTablesExpression] = []
        var counted: Counted?
        if let list = try rule.nested(UInt16(NFTA_RULE_EXPRESSIONS.rawValue)) {
            for element in try list.elements(ofType: UInt16(NFTA_LIST_ELEM.rawValue)) {
                let expression = try NFTablesExpression(element)
                expressions.append(expression)
                guard expression == .counter,
                    let data = try element.nested(UInt16(NFTA_EXPR_DATA.rawValue))
                else { continue }
                counted = Counted(
                    packets: try data.bigEndian(UInt16(NFTA_COUNTER_PACKETS.rawValue), as: UInt64.self) ?? 0,
                    bytes: try data.bigEndian(UInt16(NFTA_COUNTER_BYTES.rawValue), as: UInt64.self) ?? 0
                )
            }
        }
        self.expressions = expressions
        self.counted = counted
    }
}
