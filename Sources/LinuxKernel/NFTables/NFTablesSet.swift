internal import CLinuxKernel

/// A named set: values that one rule can test at once.
package struct NFTablesSet: Hashable, Sendable {
    package let name: String
    package let keyType: KeyType

    /// Whether elements may be ranges, which then must not overlap; touching is allowed.
    package let isInterval: Bool

    /// Sorted, so that equal sets compare equal.
    package let elements: [Element]

    package init(_ name: String, of keyType: KeyType, isInterval: Bool, elements: [Element]) {
        self.name = name
        self.keyType = keyType
        self.isInterval = isInterval
        self.elements = elements.sorted { $0.first.lexicographicallyPrecedes($1.first) }
    }

    /// What a set's values are: the numbers by which `nft` knows how to print them (`enum datatypes` of its
    /// `include/datatype.h`; the kernel only keeps them).
    package enum KeyType: UInt32, Hashable, Sendable, CaseIterable {
        case ipv4Address = 7
        case ipv6Address = 8
        case inetService = 13
        case user = 24
        case group = 25
        case interfaceName = 41

        var byteCount: Int {
            switch self {
            case .inetService: 2
            case .ipv4Address, .user, .group: 4
            case .ipv6Address, .interfaceName: 16
            }
        }

        /// A note that `nft` leaves for itself, without which it prints users and names byte-swapped.
        ///
        /// The kernel only keeps it: type `NFTNL_UDATA_SET_KEYBYTEORDER`, its length, and 1 for the
        /// machine's order or 2 for network order (libnftnl `include/libnftnl/udata.h`).
        var byteOrderNote: [UInt8] {
            switch self {
            case .user, .group, .interfaceName: [0, 4] + .hostOrder(UInt32(1))
            case .inetService, .ipv4Address, .ipv6Address: [0, 4] + .hostOrder(UInt32(2))
            }
        }
    }

    /// A value, or a range of values with both ends included, in the kernel's spelling.
    package struct Element: Hashable, Sendable {
        package let first: [UInt8]
        package let last: [UInt8]

        /// One value.
        package init(_ value: [UInt8]) {
            first = value
            last = value
        }

        /// All values from `first` to `last`, for interval sets of addresses and ports.
        package init(from first: [UInt8], through last: [UInt8]) {
            self.first = first
            self.last = last
        }
    }
}

extension NFTablesSet {
    /// An element as the kernel keeps it: where a range starts, or the first value after its end.
    struct Boundary: Hashable {
        let key: [UInt8]
        let isEnd: Bool
    }

    /// The set's elements as the kernel keeps them.
    ///
    /// A range that reaches the highest value has no end. An interval set that does not begin at the
    /// lowest value begins with an end there, as `nft` writes it.
    var boundaries: [Boundary] {
        guard isInterval else { return elements.map { Boundary(key: $0.first, isEnd: false) } }

        var result: [Boundary] = []
        result.reserveCapacity(elements.count * 2 + 1)
        let lowest = [UInt8](repeating: 0, count: keyType.byteCount)
        if let first = elements.first, first.first != lowest {
            result.append(Boundary(key: lowest, isEnd: true))
        }
        for element in elements {
            result.append(Boundary(key: element.first, isEnd: false))
            if let end = Self.successor(of: element.last) { result.append(Boundary(key: end, isEnd: true)) }
        }
        return result
    }

    /// The set's elements from what the kernel keeps; the opposite of ``boundaries``.
    static func elements(from boundaries: [Boundary], isInterval: Bool, byteCount: Int) -> [Element] {
        guard isInterval else { return boundaries.map { Element($0.key) } }

        // At the same key, one range ends before the next starts.
        let sorted = boundaries.sorted { left, right in
            left.key == right.key ? left.isEnd && !right.isEnd : left.key.lexicographicallyPrecedes(right.key)
        }
        var result: [Element] = []
        var start: [UInt8]?
        for boundary in sorted {
            if boundary.isEnd {
                if let first = start { result.append(Element(from: first, through: predecessor(of: boundary.key))) }
                start = nil
            } else {
                start = start ?? boundary.key
            }
        }
        if let start {
            result.append(Element(from: start, through: [UInt8](repeating: 0xFF, count: byteCount)))
        }
        return result
    }

    /// The next value in network order, or nil after the highest.
    private static func successor(of value: [UInt8]) -> [UInt8]? {
        var result = value
        for index in result.indices.reversed() {
            result[index] &+= 1
            if result[index] != 0 { return result }
        }
        return nil
    }

    /// The value before; the lowest value has none, and no range ends before it.
    private static func predecessor(of value: [UInt8]) -> [UInt8] {
        var result = value
        for index in result.indices.reversed() {
            result[index] &-= 1
            if result[index] != 0xFF { break }
        }
        return result
    }
}

extension NFTablesSet {
    /// How many boundaries one message can carry: each takes up to 36 bytes of its list's 64 KiB.
    static let boundariesPerMessage = 1_600

    /// Appends the list of elements (`NFTA_SET_ELEM_LIST_ELEMENTS`).
    static func write(_ boundaries: ArraySlice<Boundary>, to writer: inout NetlinkWriter) {
        writer.nested(UInt16(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue)) { writer in
            for boundary in boundaries {
                writer.nested(UInt16(NFTA_LIST_ELEM.rawValue)) { writer in
                    if boundary.isEnd {
                        writer.attribute(
                            UInt16(NFTA_SET_ELEM_FLAGS.rawValue),
                            bigEndian: UInt32(NFT_SET_ELEM_INTERVAL_END.rawValue)
                        )
                    }
                    writer.attribute(UInt16(NFTA_SET_ELEM_KEY.rawValue), data: boundary.key)
                }
            }
        }
    }
}
