internal import CLinuxKernel

extension NFTablesExpression {
    /// Reads one element of a rule's list.
    ///
    /// What this type cannot say exactly becomes ``other(_:)``, so two rules that read equal are equal.
    init(_ element: NetlinkAttributes) throws(KernelError) {
        guard let name = element.string(UInt16(NFTA_EXPR_NAME.rawValue)) else {
            throw KernelError(element.operation, .badMessage, explanation: "an expression has no name")
        }
        let data =
            try element.nested(UInt16(NFTA_EXPR_DATA.rawValue))
            ?? NetlinkAttributes(entries: [], operation: element.operation)
        self = try Self.known(name, data) ?? .other(Self.fullName(name, data))
    }

    /// With the extension's name for a match or target of x_tables, which `iptables-nft` uses
    /// (`NFTA_TARGET_NAME` and `NFTA_MATCH_NAME` of `<linux/netfilter/nf_tables_compat.h>` are 1 both).
    private static func fullName(_ name: String, _ data: NetlinkAttributes) -> String {
        guard name == "target" || name == "match", let extensionName = data.string(1) else { return name }
        return "\(name) \(extensionName)"
    }

    private static func known(
        _ name: String,
        _ data: NetlinkAttributes
    ) throws(KernelError) -> NFTablesExpression? {
        switch name {
        case "meta": try readMeta(data)
        case "payload": try readPayload(data)
        case "ct": try readConntrack(data)
        case "bitwise": try readBitwise(data)
        case "cmp": try readComparison(data)
        case "lookup": try readLookup(data)
        case "immediate": try readImmediate(data)
        case "counter": .counter
        case "redir": try readRedirect(data)
        case "tproxy": try readTransparentProxy(data)
        default: nil
        }
    }

    private static func readMeta(_ data: NetlinkAttributes) throws(KernelError) -> NFTablesExpression? {
        let number = try data.bigEndian(UInt16(NFTA_META_KEY.rawValue))
        guard let key = MetaKey.allCases.first(where: { $0.kernelValue == number }) else { return nil }
        if try data.bigEndian(UInt16(NFTA_META_DREG.rawValue)) == ruleRegister { return .meta(key) }
        let isSet = try data.bigEndian(UInt16(NFTA_META_SREG.rawValue)) == ruleRegister && key == .mark
        return isSet ? .setMetaMark : nil
    }

    private static func readPayload(_ data: NetlinkAttributes) throws(KernelError) -> NFTablesExpression? {
        guard try data.bigEndian(UInt16(NFTA_PAYLOAD_DREG.rawValue)) == ruleRegister,
            let base = try data.bigEndian(UInt16(NFTA_PAYLOAD_BASE.rawValue)),
            let offset = try data.bigEndian(UInt16(NFTA_PAYLOAD_OFFSET.rawValue)),
            let byteCount = try data.bigEndian(UInt16(NFTA_PAYLOAD_LEN.rawValue))
        else { return nil }
        return PayloadField(PayloadField.Location(base: base, offset: offset, byteCount: byteCount))
            .map { .payload($0) }
    }

    private static func readConntrack(_ data: NetlinkAttributes) throws(KernelError) -> NFTablesExpression? {
        let number = try data.bigEndian(UInt16(NFTA_CT_KEY.rawValue))
        guard let key = ConntrackKey.allCases.first(where: { $0.kernelValue == number }),
            data[UInt16(NFTA_CT_DIRECTION.rawValue)] == nil
        else { return nil }
        if try data.bigEndian(UInt16(NFTA_CT_DREG.rawValue)) == ruleRegister { return .conntrack(key) }
        return try data.bigEndian(UInt16(NFTA_CT_SREG.rawValue)) == ruleRegister ? .setConntrack(key) : nil
    }

    private static func readBitwise(_ data: NetlinkAttributes) throws(KernelError) -> NFTablesExpression? {
        // Mask and xor is operation 0, whose name differs between versions of the header.
        let operation = try data.bigEndian(UInt16(NFTA_BITWISE_OP.rawValue)) ?? 0
        guard operation == 0,
            try data.bigEndian(UInt16(NFTA_BITWISE_SREG.rawValue)) == ruleRegister,
            try data.bigEndian(UInt16(NFTA_BITWISE_DREG.rawValue)) == ruleRegister,
            let mask = try data.data(UInt16(NFTA_BITWISE_MASK.rawValue)),
            let xor = try data.data(UInt16(NFTA_BITWISE_XOR.rawValue)),
            try data.bigEndian(UInt16(NFTA_BITWISE_LEN.rawValue)) == UInt32(mask.count)
        else { return nil }
        return .bitwise(mask: mask, xor: xor)
    }

    private static func readComparison(_ data: NetlinkAttributes) throws(KernelError) -> NFTablesExpression? {
        guard try data.bigEndian(UInt16(NFTA_CMP_SREG.rawValue)) == ruleRegister,
            let operation = try data.bigEndian(UInt16(NFTA_CMP_OP.rawValue)),
            let comparison = Comparison(rawValue: operation),
            let bytes = try data.data(UInt16(NFTA_CMP_DATA.rawValue))
        else { return nil }
        return .compare(comparison, bytes)
    }

    private static func readLookup(_ data: NetlinkAttributes) throws(KernelError) -> NFTablesExpression? {
        let flags = try data.bigEndian(UInt16(NFTA_LOOKUP_FLAGS.rawValue)) ?? 0
        guard try data.bigEndian(UInt16(NFTA_LOOKUP_SREG.rawValue)) == ruleRegister,
            data[UInt16(NFTA_LOOKUP_DREG.rawValue)] == nil,
            let set = data.string(UInt16(NFTA_LOOKUP_SET.rawValue)),
            flags <= UInt32(NFT_LOOKUP_F_INV.rawValue)
        else { return nil }
        return .lookup(set: set, inverted: flags != 0)
    }

    private static func readImmediate(_ data: NetlinkAttributes) throws(KernelError) -> NFTablesExpression? {
        let register = try data.bigEndian(UInt16(NFTA_IMMEDIATE_DREG.rawValue))
        guard register == UInt32(NFT_REG_VERDICT.rawValue) else {
            guard register == ruleRegister else { return nil }
            return try data.data(UInt16(NFTA_IMMEDIATE_DATA.rawValue)).map { .immediate($0) }
        }
        guard let value = try data.nested(UInt16(NFTA_IMMEDIATE_DATA.rawValue)),
            let verdict = try value.nested(UInt16(NFTA_DATA_VERDICT.rawValue))
        else { return nil }
        return try NFTablesVerdict(verdict).map { .verdict($0) }
    }

    private static func readRedirect(_ data: NetlinkAttributes) throws(KernelError) -> NFTablesExpression? {
        let first = try data.bigEndian(UInt16(NFTA_REDIR_REG_PROTO_MIN.rawValue))
        // Where the request names no second register, the kernel answers with the first.
        let last = try data.bigEndian(UInt16(NFTA_REDIR_REG_PROTO_MAX.rawValue)) ?? first
        let flags = try data.bigEndian(UInt16(NFTA_REDIR_FLAGS.rawValue))
        return first == ruleRegister && last == ruleRegister && flags == specifiesPort ? .redirect : nil
    }

    private static func readTransparentProxy(
        _ data: NetlinkAttributes
    ) throws(KernelError) -> NFTablesExpression? {
        guard try data.bigEndian(UInt16(NFTA_TPROXY_REG_PORT.rawValue)) == ruleRegister,
            data[UInt16(NFTA_TPROXY_REG_ADDR.rawValue)] == nil,
            let number = try data.bigEndian(UInt16(NFTA_TPROXY_FAMILY.rawValue)),
            let family = InternetFamily(rawValue: UInt8(truncatingIfNeeded: number))
        else { return nil }
        return .transparentProxy(family)
    }
}

extension NFTablesVerdict {
    /// Reads a verdict, or nil for one that this type cannot say.
    fileprivate init?(_ data: NetlinkAttributes) throws(KernelError) {
        guard let bits = try data.bigEndian(UInt16(NFTA_VERDICT_CODE.rawValue)) else { return nil }
        let chain = data.string(UInt16(NFTA_VERDICT_CHAIN.rawValue)) ?? ""
        switch Int32(bitPattern: bits) {
        case Self.acceptCode: self = .accept
        case Self.dropCode: self = .drop
        case NFT_RETURN.rawValue: self = .return
        case NFT_JUMP.rawValue: self = .jump(chain)
        case NFT_GOTO.rawValue: self = .goto(chain)
        default: return nil
        }
    }
}

extension NFTablesExpression.PayloadField {
    /// The field at a place in a header, or nil for a place that this type cannot say.
    fileprivate init?(_ location: Location) {
        if location.base == Self.transportHeader, location.byteCount == 2 {
            switch location.offset {
            case 0: self = .sourcePort
            case 2: self = .destinationPort
            default: return nil
            }
            return
        }
        guard location.base == Self.networkHeader, location.byteCount > 0 else { return nil }
        let byteCount = Int(location.byteCount)
        for family in InternetFamily.allCases where byteCount <= family.addressByteCount {
            let isWhole = byteCount == family.addressByteCount
            if location.offset == Self.sourceOffset(family) {
                self = isWhole ? .source(family) : .sourcePrefix(family, byteCount: byteCount)
                return
            }
            if location.offset == Self.destinationOffset(family) {
                self = isWhole ? .destination(family) : .destinationPrefix(family, byteCount: byteCount)
                return
            }
        }
        return nil
    }
}

extension NetlinkAttributes {
    /// The bytes inside an attribute that holds a value (`NFTA_DATA_VALUE`).
    func data(_ type: UInt16) throws(KernelError) -> [UInt8]? {
        try nested(type)?[UInt16(NFTA_DATA_VALUE.rawValue)].map { [UInt8]($0) }
    }
}
