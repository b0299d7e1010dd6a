/// What a name server is asked: the addresses of one family of one name (RFC 1035 section 4).
struct DNSQuestion: Equatable {
    enum Family: UInt16, CaseIterable {
        /// `A`, IPv4.
        case ipv4 = 1
        /// `AAAA`, IPv6 (RFC 3596).
        case ipv6 = 28

        var addressBytes: Int { self == .ipv4 ? 4 : 16 }
    }

    /// Ties an answer to its question; random, so that nobody else can guess it.
    let id: UInt16
    let family: Family

    /// The parts of the name between its dots, in lower case.
    let labels: [[UInt8]]

    /// Nil for text that is no name: labels have 1 to 63 bytes, all of it 253 at most (RFC 1035 section 2.3.4).
    init?(name: String, family: Family, id: UInt16) {
        let absolute = name.hasSuffix(".") ? name.dropLast() : name[...]
        let labels = absolute.split(separator: ".", omittingEmptySubsequences: false).map { label in
            Array(label.utf8).map(DNSQuestion.lowercased)
        }
        guard (1...253).contains(absolute.utf8.count), labels.allSatisfy({ label in (1...63).contains(label.count) })
        else { return nil }
        self.id = id
        self.family = family
        self.labels = labels
    }

    static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// The message, which asks the server to find out what it does not know (flag `RD`).
    var bytes: [UInt8] {
        var output = Self.bigEndian(id)
        for word: UInt16 in [0x0100, 1, 0, 0, 0] { output += Self.bigEndian(word) }
        for label in labels { output += [UInt8(label.count)] + label }
        return output + [0] + Self.bigEndian(family.rawValue) + Self.bigEndian(Self.internet)
    }

    /// Class `IN`.
    static let internet: UInt16 = 1

    private static func bigEndian(_ word: UInt16) -> [UInt8] { [UInt8(word >> 8), UInt8(word & 0xFF)] }
}
