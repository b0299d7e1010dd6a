/// One message of a netlink reply, without its header.
struct NetlinkMessage: Sendable {
    let type: UInt16
    let flags: UInt16
    let sequence: UInt32
    let body: ArraySlice<UInt8>
}

/// Takes received bytes apart without trusting them.
///
/// Every step either consumes at least a header or throws, so no input can make a reader loop. An
/// error says what was being asked and has ``Errno/badMessage``.
struct NetlinkReader {
    private var remaining: ArraySlice<UInt8>

    /// What was being asked, for errors.
    let operation: String

    init(_ bytes: ArraySlice<UInt8>, operation: String) {
        remaining = bytes
        self.operation = operation
    }

    /// The next message, or nil at the end.
    mutating func nextMessage() throws(KernelError) -> NetlinkMessage? {
        guard !remaining.isEmpty else { return nil }
        guard let length = remaining.integer(UInt32.self, at: 0), length >= 16, length <= remaining.count,
            let type = remaining.integer(UInt16.self, at: 4),
            let flags = remaining.integer(UInt16.self, at: 6),
            let sequence = remaining.integer(UInt32.self, at: 8)
        else { throw malformed("a message has a wrong length") }

        let start = remaining.startIndex
        let message = NetlinkMessage(
            type: type,
            flags: flags,
            sequence: sequence,
            body: remaining[(start + 16)..<(start + Int(length))]
        )
        remaining = remaining.dropFirst(Self.padded(Int(length)))
        return message
    }

    /// Skips the fixed structure that stands before a message's attributes.
    mutating func skipHeader(_ byteCount: Int) throws(KernelError) {
        guard remaining.count >= byteCount else { throw malformed("a message is too short") }
        remaining = remaining.dropFirst(byteCount)
    }

    /// All remaining attributes.
    mutating func attributes() throws(KernelError) -> NetlinkAttributes {
        var entries: [NetlinkAttributes.Entry] = []
        while !remaining.isEmpty {
            guard let length = remaining.integer(UInt16.self, at: 0), length >= 4, length <= remaining.count,
                let type = remaining.integer(UInt16.self, at: 2)
            else { throw malformed("an attribute has a wrong length") }

            let start = remaining.startIndex
            entries.append(
                NetlinkAttributes.Entry(
                    type: type & 0x3FFF,  // Without NLA_F_NESTED and NLA_F_NET_BYTEORDER.
                    value: remaining[(start + 4)..<(start + Int(length))]
                )
            )
            remaining = remaining.dropFirst(Self.padded(Int(length)))
        }
        return NetlinkAttributes(entries: entries, operation: operation)
    }

    private static func padded(_ length: Int) -> Int { (length + 3) & ~3 }

    private func malformed(_ what: String) -> KernelError {
        KernelError(operation, .badMessage, explanation: what)
    }
}

/// The attributes of one message, or of one attribute.
struct NetlinkAttributes: Sendable {
    struct Entry: Sendable {
        let type: UInt16
        let value: ArraySlice<UInt8>
    }

    let entries: [Entry]
    let operation: String

    /// The value of the last attribute of a type: the kernel's own parser keeps the last as well.
    subscript(type: UInt16) -> ArraySlice<UInt8>? {
        entries.last { $0.type == type }?.value
    }

    /// A number in network byte order.
    func bigEndian<Value: FixedWidthInteger>(_ type: UInt16, as _: Value.Type) throws(KernelError) -> Value? {
        guard let value = self[type] else { return nil }
        guard value.count == MemoryLayout<Value>.size, let number = value.integer(Value.self, at: 0) else {
            throw malformed(type)
        }
        return Value(bigEndian: number)
    }

    /// A 32-bit number in network byte order.
    func bigEndian(_ type: UInt16) throws(KernelError) -> UInt32? {
        try bigEndian(type, as: UInt32.self)
    }

    /// A 32-bit number in the machine's byte order.
    func hostOrder(_ type: UInt16) throws(KernelError) -> UInt32? {
        guard let value = self[type] else { return nil }
        guard value.count == 4, let number = value.integer(UInt32.self, at: 0) else { throw malformed(type) }
        return number
    }

    /// A text up to its NUL.
    func string(_ type: UInt16) -> String? {
        guard let value = self[type] else { return nil }
        return String(decoding: value.prefix { $0 != 0 }, as: UTF8.self)
    }

    func nested(_ type: UInt16) throws(KernelError) -> NetlinkAttributes? {
        guard let value = self[type] else { return nil }
        var reader = NetlinkReader(value, operation: operation)
        return try reader.attributes()
    }

    /// The attributes inside each attribute of this list.
    func elements(ofType type: UInt16) throws(KernelError) -> [NetlinkAttributes] {
        var result: [NetlinkAttributes] = []
        for entry in entries where entry.type == type {
            var reader = NetlinkReader(entry.value, operation: operation)
            result.append(try reader.attributes())
        }
        return result
    }

    private func malformed(_ type: UInt16) -> KernelError {
        KernelError(operation, .badMessage, explanation: "attribute \(Int(type)) has a wrong size")
    }
}

extension ArraySlice<UInt8> {
    /// The integer at an offset from the slice's start, in the machine's byte order.
    func integer<Value: FixedWidthInteger>(_: Value.Type, at offset: Int) -> Value? {
        guard offset >= 0, count >= offset + MemoryLayout<Value>.size else { return nil }
        return withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    }
}
