/// Why a message is no answer to a question.
struct DNSError: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// What a name server says to one question (RFC 1035 section 4).
struct DNSAnswer: Equatable {
    /// Addresses as text, in the order of the message.
    let addresses: [String]

    /// Whether there is more that did not fit.
    let isTruncated: Bool

    /// Whether the server says that there is no such name.
    let isNameUnknown: Bool

    /// The most records that are looked at: a message of UDP holds some dozens.
    private static let mostRecords = 256

    /// Reads a message; aliases (`CNAME`) are followed as far as the message tells.
    init(_ bytes: [UInt8], to question: DNSQuestion) throws(DNSError) {
        var reader = DNSReader(bytes)
        guard try reader.word() == question.id else { throw DNSError("it answers another question") }
        let flags = try reader.word()
        guard flags & 0x8000 != 0 else { throw DNSError("it is no answer") }
        let questions = try reader.word()
        let records = min(Int(try reader.word()), Self.mostRecords)
        _ = try reader.word()
        _ = try reader.word()
        guard questions == 1, try reader.name() == question.labels,
            try reader.word() == question.family.rawValue, try reader.word() == DNSQuestion.internet
        else { throw DNSError("it answers another question") }

        let code = flags & 0xF
        guard code == 0 || code == 3 else { throw DNSError("the server refuses with code \(code)") }
        isNameUnknown = code == 3
        isTruncated = flags & 0x0200 != 0
        addresses = try Self.addresses(&reader, records, question, isTruncated: isTruncated)
    }

    private static func addresses(
        _ reader: inout DNSReader,
        _ count: Int,
        _ question: DNSQuestion,
        isTruncated: Bool
    ) throws(DNSError) -> [String] {
        var addresses: [String] = []
        // The name that was asked for, and what it is an alias of.
        var names: Set<[[UInt8]]> = [question.labels]
        for _ in 0..<count {
            // A server may cut a message in the middle of a record.
            if isTruncated && reader.isAtEnd { break }
            let record: DNSReader.Record
            do throws(DNSError) {
                record = try reader.record()
            } catch {
                guard isTruncated else { throw error }
                break
            }
            guard names.contains(record.owner), record.recordClass == DNSQuestion.internet else { continue }
            if record.type == DNSReader.alias {
                var target = reader
                target.offset = record.data.lowerBound
                names.insert(try target.name())
            } else if record.type == question.family.rawValue {
                guard record.data.count == question.family.addressBytes else {
                    throw DNSError("an address has \(record.data.count) bytes")
                }
                addresses.append(text(of: Array(reader.bytes[record.data])))
            }
        }
        return addresses
    }

    /// `10.0.0.1`, or eight groups of hexadecimal digits.
    private static func text(of address: [UInt8]) -> String {
        guard address.count == 16 else { return address.map { byte in String(byte) }.joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2).map { index in
            String(UInt16(address[index]) << 8 | UInt16(address[index + 1]), radix: 16)
        }.joined(separator: ":")
    }
}

/// Reads a message, and never past its end.
private struct DNSReader {
    struct Record {
        let owner: [[UInt8]]
        let type: UInt16
        let recordClass: UInt16

        /// Where its data is.
        let data: Range<Int>
    }

    /// `CNAME`.
    static let alias: UInt16 = 5

    /// The most labels and pointers of one name: 253 bytes hold no more, and pointers may go round in a circle.
    private static let mostSteps = 128

    let bytes: [UInt8]
    var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { offset >= bytes.count }

    mutating func byte() throws(DNSError) -> UInt8 {
        guard offset < bytes.count else { throw DNSError("the message ends too early") }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func word() throws(DNSError) -> UInt16 { UInt16(try byte()) << 8 | UInt16(try byte()) }

    mutating func record() throws(DNSError) -> Record {
        let owner = try name()
        let type = try word()
        let recordClass = try word()
        _ = try word()  // How long it may be kept, in two words: it is used at once.
        _ = try word()
        let length = Int(try word())
        guard bytes.count - offset >= length else { throw DNSError("the message ends too early") }
        defer { offset += length }
        return Record(owner: owner, type: type, recordClass: recordClass, data: offset..<(offset + length))
    }

    /// Reads a name, whose rest may be elsewhere in the message (section 4.1.4).
    mutating func name() throws(DNSError) -> [[UInt8]] {
        var labels: [[UInt8]] = []
        var end: Int?
        for _ in 0..<Self.mostSteps {
            let length = Int(try byte())
            switch length {
            case 0:
                if let end { offset = end }
                return labels
            case 1...63:
                var label: [UInt8] = []
                for _ in 0..<length { label.append(DNSQuestion.lowercased(try byte())) }
                labels.append(label)
            case 0xC0...0xFF:
                let target = (length & 0x3F) << 8 | Int(try byte())
                if end == nil { end = offset }
                offset = target
            default: throw DNSError("a name has a part of an unknown kind")
            }
        }
        throw DNSError("a name does not end")
    }
}
