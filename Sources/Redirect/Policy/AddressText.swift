// The text of addresses and ranges, as strict as Go's `net/netip`, which upstream validates with:
// what one accepts and the other refuses would be a pod that starts on some nodes only.

extension IPAddress: CustomStringConvertible {
    /// The longest text of an address: IPv6 with an embedded IPv4 address (`INET6_ADDRSTRLEN` less its final zero).
    static let longestTextBytes = 45

    /// Reads `10.0.0.5`, `fd00::5` or `::ffff:10.0.0.5`.
    ///
    /// Blanks, zones (`%eth0`) and leading zeros of IPv4 octets are refused.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count <= Self.longestTextBytes else { return nil }
        self.init(bytes: Array(text.utf8)[...])
    }

    fileprivate init?(bytes: ArraySlice<UInt8>) {
        if bytes.contains(UInt8(ascii: ":")) {
            guard let bits = ipv6Bits(bytes) else { return nil }
            self.init(.ipv6, bits: bits)
        } else {
            guard let bits = ipv4Bits(bytes) else { return nil }
            self.init(.ipv4, bits: UInt128(bits))
        }
    }

    /// The form of RFC 5952, which is also Go's.
    package var description: String {
        switch family {
        case .ipv4: dottedQuad(bits)
        case .ipv6: isMappedIPv4 ? "::ffff:" + dottedQuad(bits & 0xFFFF_FFFF) : hexadecimalGroups(bits)
        }
    }
}

extension AddressRange: CustomStringConvertible {
    /// The longest text of a range: an address, `/` and three digits.
    static let longestTextBytes = IPAddress.longestTextBytes + 4

    /// Reads `10.0.0.0/8`.
    ///
    /// The prefix length is required; bits after it may be set.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count <= Self.longestTextBytes else { return nil }
        let bytes = Array(text.utf8)
        guard
            let slash = bytes.lastIndex(of: UInt8(ascii: "/")),
            let address = IPAddress(bytes: bytes[..<slash]),
            let length = decimal(bytes[(slash + 1)...], maximum: address.family.bitWidth)
        else { return nil }
        self.init(address, prefixLength: length)
    }

    /// The block itself, as the kernel reads it back: `10.0.0.5/8` is `10.0.0.0/8`.
    package var description: String { "\(first.description)/\(prefixLength)" }

    /// The range with the address that it was given as: `10.0.0.5/8`.
    package var asWritten: String { "\(address.description)/\(prefixLength)" }
}

/// A decimal number without sign or leading zero, or nil where it is larger than `maximum`.
private func decimal(_ digits: ArraySlice<UInt8>, maximum: Int) -> Int? {
    guard let first = digits.first, first != UInt8(ascii: "0") || digits.count == 1 else { return nil }
    var value = 0
    for digit in digits {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
        value = value * 10 + Int(digit - UInt8(ascii: "0"))
        guard value <= maximum else { return nil }
    }
    return value
}

private func ipv4Bits(_ bytes: ArraySlice<UInt8>) -> UInt32? {
    let octets = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard octets.count == 4 else { return nil }
    var bits: UInt32 = 0
    for octet in octets {
        guard let value = decimal(octet, maximum: 255) else { return nil }
        bits = bits << 8 | UInt32(value)
    }
    return bits
}

/// RFC 4291, 2.2: eight groups; one `::` for at least one group of zeros; the last two may be an IPv4 address.
private func ipv6Bits(_ bytes: ArraySlice<UInt8>) -> UInt128? {
    guard let gap = firstGap(in: bytes) else {
        guard let groups = ipv6Groups(bytes, endsAddress: true), groups.count == 8 else { return nil }
        return joined(groups)
    }
    guard
        let head = ipv6Groups(bytes[..<gap], endsAddress: false),
        let tail = ipv6Groups(bytes[(gap + 2)...], endsAddress: true),
        head.count + tail.count < 8
    else { return nil }
    return joined(head + [UInt16](repeating: 0, count: 8 - head.count - tail.count) + tail)
}

/// Where the first `::` is.
///
/// A second one leaves an empty group behind, which is refused there.
private func firstGap(in bytes: ArraySlice<UInt8>) -> Int? {
    let colon = UInt8(ascii: ":")
    return bytes.indices.dropLast().first { index in bytes[index] == colon && bytes[index + 1] == colon }
}

private func ipv6Groups(_ bytes: ArraySlice<UInt8>, endsAddress: Bool) -> [UInt16]? {
    guard !bytes.isEmpty else { return [] }
    let texts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    var groups: [UInt16] = []
    for (index, text) in texts.enumerated() {
        if endsAddress && index == texts.count - 1 && text.contains(UInt8(ascii: ".")) {
            guard let embedded = ipv4Bits(text) else { return nil }
            groups += [UInt16(embedded >> 16), UInt16(truncatingIfNeeded: embedded)]
        } else {
            guard let group = ipv6Group(text) else { return nil }
            groups.append(group)
        }
    }
    return groups
}

private func ipv6Group(_ digits: ArraySlice<UInt8>) -> UInt16? {
    guard (1...4).contains(digits.count) else { return nil }
    var value: UInt16 = 0
    for digit in digits {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt16(digit - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt16(digit - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt16(digit - UInt8(ascii: "A") + 10)
        default: return nil
        }
    }
    return value
}

private func joined(_ groups: [UInt16]) -> UInt128 {
    groups.reduce(0) { bits, group in bits << 16 | UInt128(group) }
}

private func dottedQuad(_ bits: UInt128) -> String {
    "\(Int(bits >> 24 & 0xFF)).\(Int(bits >> 16 & 0xFF)).\(Int(bits >> 8 & 0xFF)).\(Int(bits & 0xFF))"
}

/// RFC 5952, 4: lower case, no leading zeros, `::` for the first of the longest runs of two or more zeros.
private func hexadecimalGroups(_ bits: UInt128) -> String {
    let groups = (0..<8).map { index in UInt16(truncatingIfNeeded: bits >> UInt128(16 * (7 - index))) }
    var longest = 0..<0
    var start = 0
    while start < 8 {
        var end = start
        while end < 8 && groups[end] == 0 { end += 1 }
        if end - start > max(longest.count, 1) { longest = start..<end }
        start = max(end, start + 1)
    }

    var text = ""
    var index = 0
    while index < 8 {
        if index == longest.lowerBound && !longest.isEmpty {
            text += "::"
            index = longest.upperBound
            continue
        }
        if !text.isEmpty && index != longest.upperBound { text += ":" }
        text += String(groups[index], radix: 16)
        index += 1
    }
    return text
}
