/// One step of a rule: it loads the register, tests it, or acts.
///
/// All steps share one register, as in the rules that `nft` itself makes from one-field matches. A
/// list of steps has one spelling only, so rules can be compared as values.
package enum NFTablesExpression: Hashable, Sendable {
    /// Loads a fact about the packet.
    case meta(MetaKey)

    /// Loads bytes of the packet.
    case payload(PayloadField)

    /// Loads a fact about the packet's connection.
    case conntrack(ConntrackKey)

    /// Sets the register to `(register & mask) ^ xor`.
    case bitwise(mask: [UInt8], xor: [UInt8])

    /// Ends the rule unless the register compares so with the bytes.
    case compare(Comparison, [UInt8])

    /// Ends the rule unless the register is in the named set (or, inverted, is not).
    case lookup(set: String, inverted: Bool)

    /// Loads a constant.
    case immediate([UInt8])

    /// Counts the packet.
    case counter

    /// Decides about the packet.
    case verdict(NFTablesVerdict)

    /// Rewrites the destination to this host and the port in the register.
    case redirect

    /// Hands the packet to a local listener on the port in the register.
    case transparentProxy(InternetFamily)

    /// Sets the packet's mark from the register.
    case setMetaMark

    /// Sets a fact about the connection from the register.
    case setConntrack(ConntrackKey)

    /// A step that this type cannot say, by the kernel's name; only read, never written.
    ///
    /// One of x_tables has its own name too: `target REDIRECT`.
    case other(String)

    /// Facts about a packet (`enum nft_meta_keys`); numbers are in host order.
    package enum MetaKey: Hashable, Sendable, CaseIterable {
        /// One byte: an ``InternetFamily``.
        case networkProtocol

        /// One byte: 6 for TCP, 17 for UDP.
        case transportProtocol

        /// 16 bytes, padded with zeros.
        case inputInterfaceName
        case outputInterfaceName

        /// 4 bytes each.
        case socketUser
        case socketGroup
        case mark
    }

    /// Fields of a packet's headers, in network order.
    package enum PayloadField: Hashable, Sendable {
        case source(InternetFamily)
        case destination(InternetFamily)
        case sourcePort
        case destinationPort

        /// The leading bytes of a source or destination address.
        ///
        /// `nft` loads no more of an address than a prefix of whole bytes needs.
        case sourcePrefix(InternetFamily, byteCount: Int)
        case destinationPrefix(InternetFamily, byteCount: Int)
    }

    /// Facts about a connection (`enum nft_ct_keys`), in host order.
    package enum ConntrackKey: Hashable, Sendable, CaseIterable {
        /// 4 bytes: ``ConntrackState``.
        case state

        /// 4 bytes.
        case mark

        /// 2 bytes; only set.
        case zone
    }

    package enum Comparison: UInt32, Hashable, Sendable {
        case equal = 0
        case notEqual = 1
    }
}

/// What becomes of a packet.
package enum NFTablesVerdict: Hashable, Sendable {
    case accept
    case drop
    case `return`
    case jump(String)
    case goto(String)
}

/// The two families of the Internet protocol; the raw values are `AF_INET`, `AF_INET6` and `NFPROTO_*` alike.
package enum InternetFamily: UInt8, Hashable, Sendable, CaseIterable {
    case ipv4 = 2
    case ipv6 = 10

    /// How many bytes an address has.
    package var addressByteCount: Int { self == .ipv4 ? 4 : 16 }
}

/// The bits of `ct state` (`NF_CT_STATE_BIT` in `linux/netfilter/nf_conntrack_common.h`).
package struct ConntrackState: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let invalid = ConntrackState(rawValue: 1)
    package static let established = ConntrackState(rawValue: 2)
    package static let related = ConntrackState(rawValue: 4)
    package static let new = ConntrackState(rawValue: 8)
    package static let untracked = ConntrackState(rawValue: 64)
}

/// The kernel's spelling of a rule's values.
extension [UInt8] {
    /// A port, as a packet carries it.
    package static func port(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }

    /// A mark, user, group or state: a number in the machine's order.
    package static func hostOrder(_ value: UInt32) -> [UInt8] {
        Swift.withUnsafeBytes(of: value) { [UInt8]($0) }
    }

    /// A conntrack zone.
    package static func hostOrder(_ value: UInt16) -> [UInt8] {
        Swift.withUnsafeBytes(of: value) { [UInt8]($0) }
    }

    /// An interface's name, padded to the 16 bytes of `IFNAMSIZ`; one that is longer matches no interface.
    package static func interfaceName(_ name: String) -> [UInt8] {
        var bytes = [UInt8](name.utf8.prefix(16))
        while bytes.count < 16 { bytes.append(0) }
        return bytes
    }
}

/// The matches that take more than one step, in the order that `nft` prints back as one.
extension [NFTablesExpression] {
    /// `meta nfproto ipv4`.
    package static func networkProtocol(_ family: InternetFamily) -> [NFTablesExpression] {
        [.meta(.networkProtocol), .compare(.equal, [family.rawValue])]
    }

    /// `meta l4proto tcp`.
    package static func transportProtocol(_ number: UInt8) -> [NFTablesExpression] {
        [.meta(.transportProtocol), .compare(.equal, [number])]
    }

    /// `ct state established,related`: any of the states.
    package static func connection(in states: ConntrackState) -> [NFTablesExpression] {
        [
            .conntrack(.state), .bitwise(mask: .hostOrder(states.rawValue), xor: .hostOrder(UInt32(0))),
            .compare(.notEqual, .hostOrder(UInt32(0))),
        ]
    }

    /// `ip daddr 10.0.0.0/8` without the `meta nfproto` before it, as `nft` spells each length of prefix.
    ///
    /// The address has 4 or 16 bytes, and those after the prefix are ignored. A prefix of no bits is no
    /// match at all, so it has no steps.
    package static func address(
        _ family: InternetFamily,
        isSource: Bool,
        _ comparison: NFTablesExpression.Comparison,
        _ address: [UInt8],
        prefixLength: Int
    ) -> [NFTablesExpression] {
        guard prefixLength > 0 else { return [] }
        let wholeBytes = prefixLength / 8
        if prefixLength < family.addressByteCount * 8, prefixLength % 8 == 0 {
            let field: NFTablesExpression.PayloadField =
                isSource
                ? .sourcePrefix(family, byteCount: wholeBytes) : .destinationPrefix(family, byteCount: wholeBytes)
            return [.payload(field), .compare(comparison, [UInt8](address.prefix(wholeBytes)))]
        }
        let load = NFTablesExpression.payload(isSource ? .source(family) : .destination(family))
        guard prefixLength < family.addressByteCount * 8 else { return [load, .compare(comparison, address)] }

        var mask = [UInt8](repeating: 0, count: family.addressByteCount)
        for bit in 0..<prefixLength { mask[bit / 8] |= 0x80 >> UInt8(bit % 8) }
        let zero = [UInt8](repeating: 0, count: mask.count)
        let network = zip(address, mask).map { $0 & $1 }
        return [load, .bitwise(mask: mask, xor: zero), .compare(comparison, network)]
    }

    /// `redirect to :15001`.
    package static func redirect(toPort port: UInt16) -> [NFTablesExpression] {
        [.immediate(.port(port)), .redirect]
    }

    /// `tproxy ip to :15006`.
    package static func transparentProxy(_ family: InternetFamily, toPort port: UInt16) -> [NFTablesExpression] {
        [.immediate(.port(port)), .transparentProxy(family)]
    }

    /// `meta mark set 0x539`.
    package static func setMark(_ mark: UInt32) -> [NFTablesExpression] {
        [.immediate(.hostOrder(mark)), .setMetaMark]
    }

    /// `ct zone set 1`.
    package static func setZone(_ zone: UInt16) -> [NFTablesExpression] {
        [.immediate(.hostOrder(zone)), .setConntrack(.zone)]
    }
}
