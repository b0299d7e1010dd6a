/// A document and what it says.
package struct JSONDocument: Equatable, Sendable {
    package let bytes: [UInt8]
    package let value: JSONValue

    /// Where in `bytes` the value of each top-level member is, in the order of the members.
    ///
    /// Empty where the document is no object.
    package let memberRanges: [Range<Int>]

    /// Reads a document of one value, and refuses anything after it.
    package init(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
        guard bytes.count <= limits.bytes else {
            throw JSONError(offset: limits.bytes, expected: "no more than \(limits.bytes) bytes")
        }
        var reader = JSONReader(bytes, limits: limits)
        value = try reader.readDocument()
        memberRanges = reader.topLevelMembers
        self.bytes = bytes
    }
}

extension JSONValue {
    /// Reads a document of one value, and refuses anything after it.
    package init(parsing bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
        self = try JSONDocument(bytes, limits: limits).value
    }
}

/// Reads JSON as RFC 8259 writes it, in one pass.
///
/// Bytes that are not UTF-8 are refused. Half of a surrogate pair (`\ud800` alone) becomes U+FFFD, as in Go's
/// `encoding/json`: the grammar allows it, but no text can hold it.
private struct JSONReader {
    private let bytes: [UInt8]
    private let limits: JSONLimits
    private var offset = 0
    private var valueCount = 0
    private(set) var topLevelMembers: [Range<Int>] = []

    init(_ bytes: [UInt8], limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func readDocument() throws(JSONError) -> JSONValue {
        skipBlanks()
        let value = try readValue(depth: 0)
        skipBlanks()
        guard offset == bytes.count else { throw failure("the end of the document") }
        return value
    }

    /// The next byte, or 0, which no document may hold here, at the end.
    private var next: UInt8 { offset < bytes.count ? bytes[offset] : 0 }

    private func failure(_ expected: String) -> JSONError { JSONError(offset: offset, expected: expected) }

    private mutating func skipBlanks() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }

    private mutating func readValue(depth: Int) throws(JSONError) -> JSONValue {
        guard valueCount < limits.values else { throw failure("no more than \(limits.values) values") }
        valueCount += 1
        switch next {
        case UInt8(ascii: "{"): return .object(try readMembers(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try readElements(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try readNumber())
        case UInt8(ascii: "t"):
            try skipWord("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try skipWord("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try skipWord("null")
            return .null
        default: throw failure("a value")
        }
    }

    private mutating func skipWord(_ word: StaticString) throws(JSONError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard next == word.utf8Start[index] else { throw failure("true, false or null") }
            offset += 1
        }
    }

    private mutating func readMembers(depth: Int) throws(JSONError) -> [JSONMember] {
        try enter(depth)
        var members: [JSONMember] = []
        if closes(UInt8(ascii: "}")) { return members }
        while true {
            guard next == UInt8(ascii: "\"") else { throw failure("a member's name in quotes") }
            let name = try readString()
            skipBlanks()
            guard next == UInt8(ascii: ":") else { throw failure("a colon after a member's name") }
            offset += 1
            skipBlanks()
            let start = offset
            members.append(JSONMember(name, try readValue(depth: depth)))
            if depth == 1 { topLevelMembers.append(start..<offset) }
            skipBlanks()
            if closes(UInt8(ascii: "}")) { return members }
            guard next == UInt8(ascii: ",") else { throw failure("a comma or the end of the object") }
            offset += 1
            skipBlanks()
        }
    }

    private mutating func readElements(depth: Int) throws(JSONError) -> [JSONValue] {
        try enter(depth)
        var elements: [JSONValue] = []
        if closes(UInt8(ascii: "]")) { return elements }
        while true {
            elements.append(try readValue(depth: depth))
            skipBlanks()
            if closes(UInt8(ascii: "]")) { return elements }
            guard next == UInt8(ascii: ",") else { throw failure("a comma or the end of the array") }
            offset += 1
            skipBlanks()
        }
    }

    private mutating func enter(_ depth: Int) throws(JSONError) {
        guard depth <= limits.depth else { throw failure("no more than \(limits.depth) levels of nesting") }
        offset += 1
        skipBlanks()
    }

    private mutating func closes(_ bracket: UInt8) -> Bool {
        guard next == bracket else { return false }
        offset += 1
        return true
    }

    private mutating func readNumber() throws(JSONError) -> String {
        let start = offset
        if next == UInt8(ascii: "-") { offset += 1 }
        if next == UInt8(ascii: "0") {
            offset += 1
        } else {
            try skipDigits()
        }
        if next == UInt8(ascii: ".") {
            offset += 1
            try skipDigits()
        }
        if next.lowercasedASCII == UInt8(ascii: "e") {
            offset += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { offset += 1 }
            try skipDigits()
        }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    private mutating func skipDigits() throws(JSONError) {
        guard next.isDigit else { throw failure("a digit") }
        while next.isDigit { offset += 1 }
    }
}

// MARK: Strings

extension JSONReader {
    private mutating func readString() throws(JSONError) -> String {
        offset += 1
        var start = offset
        var unescaped: [UInt8] = []
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "\""):
                let run = bytes[start..<offset]
                offset += 1
                guard !unescaped.isEmpty else { return String(decoding: run, as: UTF8.self) }
                unescaped.append(contentsOf: run)
                return String(decoding: unescaped, as: UTF8.self)
            case UInt8(ascii: "\\"):
                unescaped.append(contentsOf: bytes[start..<offset])
                offset += 1
                try readEscape(into: &unescaped)
                start = offset
            case 0x00..<0x20: throw failure("control characters in a string to be escaped")
            case 0x80...0xFF: try skipNonASCIICharacter()
            default: offset += 1
            }
        }
        throw failure("the end of a string")
    }

    /// Passes over one character of two to four bytes, if it is well-formed (The Unicode Standard, table 3-7).
    private mutating func skipNonASCIICharacter() throws(JSONError) {
        let (count, second): (Int, ClosedRange<UInt8>) =
            switch bytes[offset] {
            case 0xC2...0xDF: (2, 0x80...0xBF)
            case 0xE0: (3, 0xA0...0xBF)
            case 0xED: (3, 0x80...0x9F)
            case 0xE1...0xEF: (3, 0x80...0xBF)
            case 0xF0: (4, 0x90...0xBF)
            case 0xF1...0xF3: (4, 0x80...0xBF)
            case 0xF4: (4, 0x80...0x8F)
            default: throw failure("UTF-8")
            }
        guard offset + count <= bytes.count, second.contains(bytes[offset + 1]) else { throw failure("UTF-8") }
        for index in 2..<max(count, 2) {
            guard bytes[offset + index] & 0xC0 == 0x80 else { throw failure("UTF-8") }
        }
        offset += count
    }

    /// Reads what follows a backslash.
    private mutating func readEscape(into output: inout [UInt8]) throws(JSONError) {
        let letter = next
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(letter)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"):
            offset += 1
            try readUnicodeEscape(into: &output)
            return
        default: throw failure("one of \" \\ / b f n r t u after a backslash")
        }
        offset += 1
    }

    /// Reads the digits of `\u00E9`, and a second escape where the two are a surrogate pair.
    private mutating func readUnicodeEscape(into output: inout [UInt8]) throws(JSONError) {
        let unit = try readFourHexDigits()
        var scalar = Unicode.Scalar(unit)
        if 0xD800...0xDBFF ~= unit, next == UInt8(ascii: "\\"), offset + 1 < bytes.count,
            bytes[offset + 1] == UInt8(ascii: "u")
        {
            let afterFirst = offset
            offset += 2
            let low = try readFourHexDigits()
            if 0xDC00...0xDFFF ~= low {
                scalar = Unicode.Scalar(0x1_0000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
            } else {
                offset = afterFirst
            }
        }
        output.append(contentsOf: String(Character(scalar ?? "\u{FFFD}")).utf8)
    }

    private mutating func readFourHexDigits() throws(JSONError) -> UInt16 {
        var number: UInt16 = 0
        for _ in 0..<4 {
            let digit: UInt8
            switch next {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = next - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = next - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = next - UInt8(ascii: "A") + 10
            default: throw failure("four hexadecimal digits")
            }
            number = number << 4 | UInt16(digit)
            offset += 1
        }
        return number
    }
}
