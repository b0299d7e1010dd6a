internal import CLinuxKernel

/// `NFPROTO_INET` of `linux/netfilter.h`, whose header Swift cannot import.
let inetFamily: UInt8 = 1

extension NFTablesBatch {
    /// The sequence number of the first change; the batch's own header has the one before.
    static let firstSequence: UInt32 = 1

    /// The sequence number of the last change, the only one whose success the kernel confirms.
    var lastSequence: UInt32 { Self.firstSequence + UInt32(changes.count) - 1 }

    /// The change with this sequence number.
    func change(_ sequence: UInt32) -> Change? {
        let index = Int(sequence) - Int(Self.firstSequence)
        return changes.indices.contains(index) ? changes[index] : nil
    }

    /// The batch as the kernel reads it: begin, each change in order, end.
    ///
    /// Only the last change asks for an answer. Refusals come in any case, and a batch of thousands of
    /// changes must not fill the socket with their confirmations.
    func encoded() -> [UInt8] {
        var writer = NetlinkWriter()
        let request = UInt16(NLM_F_REQUEST)
        writer.message(UInt16(NFNL_MSG_BATCH_BEGIN), flags: request, sequence: 0) { writer in
            writer.appendFamilyHeader(family: 0, resource: UInt16(NFNL_SUBSYS_NFTABLES))
        }
        for (change, sequence) in zip(changes, Self.firstSequence...) {
            let acknowledge = sequence == lastSequence ? UInt16(NLM_F_ACK) : 0
            writer.message(
                UInt16(NFNL_SUBSYS_NFTABLES) << 8 | change.type,
                flags: request | acknowledge | change.flags,
                sequence: sequence
            ) { writer in
                writer.appendFamilyHeader(family: inetFamily, resource: 0)
                change.writeAttributes(to: &writer)
            }
        }
        writer.message(UInt16(NFNL_MSG_BATCH_END), flags: request, sequence: lastSequence + 1) { writer in
            writer.appendFamilyHeader(family: 0, resource: UInt16(NFNL_SUBSYS_NFTABLES))
        }
        return writer.bytes
    }
}

extension NFTablesBatch.Change {
    fileprivate var type: UInt16 {
        let type =
            switch self {
            case .addTable: NFT_MSG_NEWTABLE
            case .deleteTable: NFT_MSG_DELTABLE
            case .addChain: NFT_MSG_NEWCHAIN
            case .addSet: NFT_MSG_NEWSET
            case .addElements: NFT_MSG_NEWSETELEM
            case .addRule: NFT_MSG_NEWRULE
            }
        return UInt16(type.rawValue)
    }

    fileprivate var flags: UInt16 {
        switch self {
        case .deleteTable: 0
        case .addRule: UInt16(NLM_F_CREATE | NLM_F_APPEND)
        default: UInt16(NLM_F_CREATE)
        }
    }

    fileprivate func writeAttributes(to writer: inout NetlinkWriter) {
        switch self {
        case .addTable(let name), .deleteTable(let name):
            writer.attribute(UInt16(NFTA_TABLE_NAME.rawValue), string: name)
        case .addChain(let name, let table, let base):
            writer.attribute(UInt16(NFTA_CHAIN_TABLE.rawValue), string: table)
            writer.attribute(UInt16(NFTA_CHAIN_NAME.rawValue), string: name)
            base?.writeAttributes(to: &writer)
        case .addSet(let set, let table, let id):
            writer.attribute(UInt16(NFTA_SET_TABLE.rawValue), string: table)
            writer.attribute(UInt16(NFTA_SET_NAME.rawValue), string: set.name)
            let flags = set.isInterval ? UInt32(NFT_SET_INTERVAL.rawValue) : 0
            writer.attribute(UInt16(NFTA_SET_FLAGS.rawValue), bigEndian: flags)
            writer.attribute(UInt16(NFTA_SET_KEY_TYPE.rawValue), bigEndian: set.keyType.rawValue)
            writer.attribute(UInt16(NFTA_SET_KEY_LEN.rawValue), bigEndian: UInt32(set.keyType.byteCount))
            writer.attribute(UInt16(NFTA_SET_ID.rawValue), bigEndian: id)
            writer.attribute(UInt16(NFTA_SET_USERDATA.rawValue), bytes: set.keyType.byteOrderNote)
        case .addElements(let set, let table, let id, let boundaries):
            writer.attribute(UInt16(NFTA_SET_ELEM_LIST_TABLE.rawValue), string: table)
            writer.attribute(UInt16(NFTA_SET_ELEM_LIST_SET.rawValue), string: set)
            writer.attribute(UInt16(NFTA_SET_ELEM_LIST_SET_ID.rawValue), bigEndian: id)
            NFTablesSet.write(boundaries, to: &writer)
        case .addRule(let expressions, let chain, let table):
            writer.attribute(UInt16(NFTA_RULE_TABLE.rawValue), string: table)
            writer.attribute(UInt16(NFTA_RULE_CHAIN.rawValue), string: chain)
            writer.nested(UInt16(NFTA_RULE_EXPRESSIONS.rawValue)) { writer in
                for expression in expressions { expression.write(to: &writer) }
            }
        }
    }
}

extension NFTablesBaseChain {
    fileprivate func writeAttributes(to writer: inout NetlinkWriter) {
        writer.nested(UInt16(NFTA_CHAIN_HOOK.rawValue)) { writer in
            writer.attribute(UInt16(NFTA_HOOK_HOOKNUM.rawValue), bigEndian: hook.rawValue)
            writer.attribute(
                UInt16(NFTA_HOOK_PRIORITY.rawValue),
                bigEndian: UInt32(bitPattern: priority.rawValue)
            )
        }
        writer.attribute(UInt16(NFTA_CHAIN_TYPE.rawValue), string: kind.rawValue)
    }
}

extension NFTablesBatch.Change {
    /// The change in the words of `nft`, for the error that names it.
    var description: String {
        switch self {
        case .addTable(let name): "add table inet \(name)"
        case .deleteTable(let name): "delete table inet \(name)"
        case .addChain(let name, let table, _): "add chain inet \(table) \(name)"
        case .addSet(let set, let table, _): "add set inet \(table) \(set.name)"
        case .addElements(let set, let table, _, _): "add element inet \(table) \(set)"
        case .addRule(let expressions, let chain, let table):
            "add rule inet \(table) \(chain): \(NFTablesRuleText.text(of: expressions))"
        }
    }
}

extension NetlinkWriter {
    /// Appends a `struct nfgenmsg`, which starts every netfilter message.
    mutating func appendFamilyHeader(family: UInt8, resource: UInt16) {
        append(family)
        append(UInt8(0))  // NFNETLINK_V0
        append(resource.bigEndian)
    }
}
