/// Encodes netlink messages and attributes into one buffer.
///
/// Lengths are written when a message or attribute ends, so nothing outside this file computes an
/// offset or a size. Both are padded to four bytes (`netlink(7)`, `NLMSG_ALIGN` and `NLA_ALIGN`).
struct NetlinkWriter {
    private(set) var bytes: [UInt8] = []

    /// The most that an attribute can hold: its length, header included, has 16 bits.
    static let attributeByteLimit = 65_535 - 4

    /// Appends a message: a 16-byte header (`struct nlmsghdr`) and what `body` writes.
    mutating func message(
        _ type: UInt16,
        flags: UInt16,
        sequence: UInt32,
        _ body: (inout NetlinkWriter) -> Void
    ) {
        let start = bytes.count
        append(UInt32(0))
        append(type)
        append(flags)
        append(sequence)
        append(UInt32(0))  // The port, which the kernel fills in.
        body(&self)
        patch(UInt32(bytes.count - start), at: start)
    }

    /// Appends an attribute (`struct nlattr`) holding what `body` writes.
    ///
    /// A body over ``attributeByteLimit`` is the caller's mistake: lists are split before.
    mutating func attribute(_ type: UInt16, _ body: (inout NetlinkWriter) -> Void) {
        let start = bytes.count
        append(UInt16(0))
        append(type)
        body(&self)
        let length = bytes.count - start
        precondition(length <= Self.attributeByteLimit + 4, "a list is split before it is written")
        patch(UInt16(length), at: start)
        pad()
    }

    /// Appends an attribute of attributes.
    mutating func nested(_ type: UInt16, _ body: (inout NetlinkWriter) -> Void) {
        attribute(type | 0x8000, body)  // NLA_F_NESTED
    }

    /// Appends a NUL-terminated string attribute, cut at the longest name that the kernel could take.
    mutating func attribute(_ type: UInt16, string: String) {
        attribute(type) { writer in
            writer.bytes += string.utf8.prefix(Self.stringByteLimit)
            writer.bytes.append(0)
        }
    }

    /// Appends an attribute of plain bytes.
    mutating func attribute(_ type: UInt16, bytes value: [UInt8]) {
        attribute(type) { writer in writer.bytes += value }
    }

    /// Appends an integer attribute in network byte order, which all of nf_tables uses.
    mutating func attribute(_ type: UInt16, bigEndian value: UInt32) {
        attribute(type) { writer in writer.append(value.bigEndian) }
    }

    /// Appends an integer attribute in the machine's own byte order, which all of rtnetlink uses.
    mutating func attribute(_ type: UInt16, hostOrder value: UInt32) {
        attribute(type) { writer in writer.append(value) }
    }

    /// Appends an integer in the machine's own byte order.
    mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value) { bytes += $0 }
    }

    /// Far over the longest name, 255 bytes (`NFT_NAME_MAXLEN`).
    ///
    /// What is cut here is still too long, so the kernel refuses it.
    private static let stringByteLimit = 1_024

    private mutating func patch<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
        withUnsafeBytes(of: value) { source in
            bytes.replaceSubrange(offset..<(offset + source.count), with: source)
        }
    }

    private mutating func pad() {
        while !bytes.count.isMultiple(of: 4) { bytes.append(0) }
    }
}
