internal import CLinuxKernel

/// The one register of all rules: 16 bytes, enough for an IPv6 address.
let ruleRegister = UInt32(NFT_REG_1.rawValue)

extension NFTablesExpression {
    /// Appends the expression as an element of a rule's list (`NFTA_LIST_ELEM`).
    func write(to writer: inout NetlinkWriter) {
        guard let name = kernelName else { return }
        writer.nested(UInt16(NFTA_LIST_ELEM.rawValue)) { writer in
            writer.attribute(UInt16(NFTA_EXPR_NAME.rawValue), string: name)
            writer.nested(UInt16(NFTA_EXPR_DATA.rawValue)) { writer in writeData(to: &writer) }
        }
    }

    /// The kernel's name for the kind of expression.
    private var kernelName: String? {
        switch self {
        case .meta, .setMetaMark: "meta"
        case .payload: "payload"
        case .conntrack, .setConntrack: "ct"
        case .bitwise: "bitwise"
        case .compare: "cmp"
        case .lookup: "lookup"
        case .immediate, .verdict: "immediate"
        case .counter: "counter"
        case .redirect: "redir"
        case .transparentProxy: "tproxy"
        case .other: nil
        }
    }

    private func writeData(to writer: inout NetlinkWriter) {
        switch self {
        case .meta(let key):
            writer.attribute(UInt16(NFTA_META_KEY.rawValue), bigEndian: key.kernelValue)
            writer.attribute(UInt16(NFTA_META_DREG.rawValue), bigEndian: ruleRegister)
        case .setMetaMark:
            writer.attribute(UInt16(NFTA_META_KEY.rawValue), bigEndian: MetaKey.mark.kernelValue)
            writer.attribute(UInt16(NFTA_META_SREG.rawValue), bigEndian: ruleRegister)
        case .payload(let field):
            writer.attribute(UInt16(NFTA_PAYLOAD_DREG.rawValue), bigEndian: ruleRegister)
            writer.attribute(UInt16(NFTA_PAYLOAD_BASE.rawValue), bigEndian: field.location.base)
            writer.attribute(UInt16(NFTA_PAYLOAD_OFFSET.rawValue), bigEndian: field.location.offset)
            writer.attribute(UInt16(NFTA_PAYLOAD_LEN.rawValue), bigEndian: field.location.byteCount)
        case .conntrack(let key):
            writer.attribute(UInt16(NFTA_CT_KEY.rawValue), bigEndian: key.kernelValue)
            writer.attribute(UInt16(NFTA_CT_DREG.rawValue), bigEndian: ruleRegister)
        case .setConntrack(let key):
            writer.attribute(UInt16(NFTA_CT_KEY.rawValue), bigEndian: key.kernelValue)
            writer.attribute(UInt16(NFTA_CT_SREG.rawValue), bigEndian: ruleRegister)
        case .bitwise(let mask, let xor):
            writer.attribute(UInt16(NFTA_BITWISE_SREG.rawValue), bigEndian: ruleRegister)
            writer.attribute(UInt16(NFTA_BITWISE_DREG.rawValue), bigEndian: ruleRegister)
            writer.attribute(UInt16(NFTA_BITWISE_LEN.rawValue), bigEndian: UInt32(mask.count))
            writer.attribute(UInt16(NFTA_BITWISE_MASK.rawValue), data: mask)
            writer.attribute(UInt16(NFTA_BITWISE_XOR.rawValue), data: xor)
        case .compare(let comparison, let bytes):
            writer.attribute(UInt16(NFTA_CMP_SREG.rawValue), bigEndian: ruleRegister)
            writer.attribute(UInt16(NFTA_CMP_OP.rawValue), bigEndian: comparison.rawValue)
            writer.attribute(UInt16(NFTA_CMP_DATA.rawValue), data: bytes)
        case .lookup(let set, let inverted):
            writer.attribute(UInt16(NFTA_LOOKUP_SET.rawValue), string: set)
            writer.attribute(UInt16(NFTA_LOOKUP_SREG.rawValue), bigEndian: ruleRegister)
            guard inverted else { return }
            writer.attribute(UInt16(NFTA_LOOKUP_FLAGS.rawValue), bigEndian: UInt32(NFT_LOOKUP_F_INV.rawValue))
        case .immediate(let bytes):
            writer.attribute(UInt16(NFTA_IMMEDIATE_DREG.rawValue), bigEndian: ruleRegister)
            writer.attribute(UInt16(NFTA_IMMEDIATE_DATA.rawValue), data: bytes)
        case .verdict(let verdict):
            writer.attribute(
                UInt16(NFTA_IMMEDIATE_DREG.rawValue),
                bigEndian: UInt32(NFT_REG_VERDICT.rawValue)
            )
            writer.nested(UInt16(NFTA_IMMEDIATE_DATA.rawValue)) { writer in verdict.write(to: &writer) }
        case .counter:
            let zero = [UInt8](repeating: 0, count: 8)
            writer.attribute(UInt16(NFTA_COUNTER_BYTES.rawValue), bytes: zero)
            writer.attribute(UInt16(NFTA_COUNTER_PACKETS.rawValue), bytes: zero)
        case .redirect:
            writer.attribute(UInt16(NFTA_REDIR_REG_PROTO_MIN.rawValue), bigEndian: ruleRegister)
            writer.attribute(UInt16(NFTA_REDIR_FLAGS.rawValue), bigEndian: Self.specifiesPort)
        case .transparentProxy(let family):
            writer.attribute(UInt16(NFTA_TPROXY_FAMILY.rawValue), bigEndian: UInt32(family.rawValue))
            writer.attribute(UInt16(NFTA_TPROXY_REG_PORT.rawValue), bigEndian: ruleRegister)
        case .other: return
        }
    }

    /// `NF_NAT_RANGE_PROTO_SPECIFIED` of `linux/netfilter/nf_nat.h`, whose header Swift cannot import.
    static let specifiesPort: UInt32 = 2
}

extension NFTablesVerdict {
    /// `NF_DROP` and `NF_ACCEPT` of `linux/netfilter.h`, whose header Swift cannot import.
    static let dropCode: Int32 = 0
    static let acceptCode: Int32 = 1

    fileprivate func write(to writer: inout NetlinkWriter) {
        let code: Int32
        var chain: String?
        switch self {
        case .accept: code = Self.acceptCode
        case .drop: code = Self.dropCode
        case .return: code = NFT_RETURN.rawValue
        case .jump(let target): (code, chain) = (NFT_JUMP.rawValue, target)
        case .goto(let target): (code, chain) = (NFT_GOTO.rawValue, target)
        }
        writer.nested(UInt16(NFTA_DATA_VERDICT.rawValue)) { writer in
            writer.attribute(UInt16(NFTA_VERDICT_CODE.rawValue), bigEndian: UInt32(bitPattern: code))
            if let chain { writer.attribute(UInt16(NFTA_VERDICT_CHAIN.rawValue), string: chain) }
        }
    }
}

extension NFTablesExpression.MetaKey {
    var kernelValue: UInt32 {
        switch self {
        case .networkProtocol: UInt32(NFT_META_NFPROTO.rawValue)
        case .transportProtocol: UInt32(NFT_META_L4PROTO.rawValue)
        case .inputInterfaceName: UInt32(NFT_META_IIFNAME.rawValue)
        case .outputInterfaceName: UInt32(NFT_META_OIFNAME.rawValue)
        case .socketUser: UInt32(NFT_META_SKUID.rawValue)
        case .socketGroup: UInt32(NFT_META_SKGID.rawValue)
        case .mark: UInt32(NFT_META_MARK.rawValue)
        }
    }
}

extension NFTablesExpression.ConntrackKey {
    var kernelValue: UInt32 {
        switch self {
        case .state: UInt32(NFT_CT_STATE.rawValue)
        case .mark: UInt32(NFT_CT_MARK.rawValue)
        case .zone: UInt32(NFT_CT_ZONE.rawValue)
        }
    }
}

extension NFTablesExpression.PayloadField {
    /// Where the field is: which header, and which of its bytes.
    struct Location: Hashable {
        let base: UInt32
        let offset: UInt32
        let byteCount: UInt32
    }

    var location: Location {
        switch self {
        case .source(let family):
            Self.address(at: Self.sourceOffset(family), byteCount: family.addressByteCount)
        case .destination(let family):
            Self.address(at: Self.destinationOffset(family), byteCount: family.addressByteCount)
        case .sourcePrefix(let family, let byteCount):
            Self.address(at: Self.sourceOffset(family), byteCount: byteCount)
        case .destinationPrefix(let family, let byteCount):
            Self.address(at: Self.destinationOffset(family), byteCount: byteCount)
        case .sourcePort: Location(base: Self.transportHeader, offset: 0, byteCount: 2)
        case .destinationPort: Location(base: Self.transportHeader, offset: 2, byteCount: 2)
        }
    }

    /// Offsets in the headers of RFC 791 and RFC 8200.
    static func sourceOffset(_ family: InternetFamily) -> UInt32 { family == .ipv4 ? 12 : 8 }
    static func destinationOffset(_ family: InternetFamily) -> UInt32 { family == .ipv4 ? 16 : 24 }

    static let networkHeader = UInt32(NFT_PAYLOAD_NETWORK_HEADER.rawValue)
    static let transportHeader = UInt32(NFT_PAYLOAD_TRANSPORT_HEADER.rawValue)

    private static func address(at offset: UInt32, byteCount: Int) -> Location {
        Location(base: networkHeader, offset: offset, byteCount: UInt32(byteCount))
    }
}

extension NetlinkWriter {
    /// Appends an attribute that holds a value (`struct nlattr` with `NFTA_DATA_VALUE` inside).
    mutating func attribute(_ type: UInt16, data: [UInt8]) {
        nested(type) { writer in writer.attribute(UInt16(NFTA_DATA_VALUE.rawValue), bytes: data) }
    }
}
