/// One of the two protocols whose packets can be redirected.
package enum AddressFamily: String, CaseIterable, Hashable, Sendable {
    case ipv4
    case ipv6

    /// How many bits an address has.
    package var bitWidth: Int {
        switch self {
        case .ipv4: 32
        case .ipv6: 128
        }
    }
}

/// An IPv4 or IPv6 address.
package struct IPAddress: Hashable, Sendable {
    package let family: AddressFamily

    /// The address as a number; an IPv4 address is in the low 32 bits.
    package let bits: UInt128

    package init(_ family: AddressFamily, bits: UInt128) {
        self.family = family
        self.bits = bits
    }

    package var isLoopback: Bool {
        switch family {
        case .ipv4: bits >> 24 == 127
        case .ipv6: bits == 1
        }
    }

    /// Whether the address is valid on one link only: `169.254.0.0/16` and `fe80::/10`.
    package var isLinkLocal: Bool {
        switch family {
        case .ipv4: bits >> 16 == 0xA9FE
        case .ipv6: bits >> 118 == 0x3FA
        }
    }

    /// Whether the address is of a group on one link only: `224.0.0.0/24`, and `ff02::/16` with any flags.
    package var isLinkLocalMulticast: Bool {
        switch family {
        case .ipv4: bits >> 8 == 0xE0_0000
        case .ipv6: bits >> 120 == 0xFF && bits >> 112 & 0xF == 2
        }
    }

    /// Whether an IPv6 address stands for an IPv4 one: `::ffff:0:0/96`.
    package var isMappedIPv4: Bool { family == .ipv6 && bits >> 32 == 0xFFFF }

    /// The IPv4 address that a mapped address stands for, or the address itself.
    package var unmapped: IPAddress { isMappedIPv4 ? IPAddress(.ipv4, bits: bits & 0xFFFF_FFFF) : self }

    /// The address in network order: 4 or 16 bytes.
    package var bytes: [UInt8] {
        let count = family.bitWidth / 8
        return (0..<count).map { index in UInt8(truncatingIfNeeded: bits >> UInt128(8 * (count - 1 - index))) }
    }
}

/// A block of addresses: an address and how many of its leading bits count.
///
/// The bits after those are kept as they were written (`10.0.0.5/8`), and mean nothing.
package struct AddressRange: Hashable, Sendable {
    package let address: IPAddress

    /// 0 to 32, or 0 to 128.
    package let prefixLength: Int

    /// Makes a range, unless the prefix is longer than an address of the family.
    package init?(_ address: IPAddress, prefixLength: Int) {
        guard (0...address.family.bitWidth).contains(prefixLength) else { return nil }
        self.init(address: address, checkedPrefixLength: prefixLength)
    }

    init(address: IPAddress, checkedPrefixLength: Int) {
        self.address = address
        prefixLength = checkedPrefixLength
    }

    package var family: AddressFamily { address.family }

    /// The lowest address of the range.
    package var first: IPAddress { IPAddress(family, bits: address.bits & ~hostMask) }

    /// The highest address of the range.
    package var last: IPAddress { IPAddress(family, bits: address.bits | hostMask) }

    package func contains(_ other: IPAddress) -> Bool {
        other.family == family && other.bits & ~hostMask == first.bits
    }

    private var hostMask: UInt128 {
        let hostBits = family.bitWidth - prefixLength
        return hostBits == 128 ? UInt128.max : (UInt128(1) << UInt128(hostBits)) - 1
    }
}
