/// Reads the configuration of a container runtime, which is TOML (https://toml.io/en/v1.0.0).
///
/// Own code, since the TOML libraries for Swift are a C++ library with exceptions or stand on full Foundation, and the
/// agent's static program holds neither.
struct TOMLReader {
    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1
    private var values = 0

    /// The longest file, in bytes: what containerd writes with every default is some 20 KiB.
    static let longestBytes = 1_024 * 1_024

    /// The most values of a file, which is what bounds memory.
    private static let mostValues = 20_000

    /// The deepest nesting of values, and the longest path of names; each level costs a stack frame.
    private static let mostLevels = 32

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func read(_ bytes: [UInt8]) throws(TOMLError) -> TOMLTable {
        guard bytes.count <= longestBytes else { throw TOMLError(line: 1, expected: "at most \(longestBytes) bytes") }
        var reader = TOMLReader(bytes)
        return try reader.document()
    }

    // MARK: - Lines

    private mutating func document() throws(TOMLError) -> TOMLTable {
        var root = TOMLTable()
        var heading: [String] = []
        while true {
            skip(lines: true)
            guard let byte = peek else { return root }
            if byte == UInt8(ascii: "[") {
                heading = try readHeading(&root)
            } else {
                let path = heading + (try readPath())
                try expect("=")
                guard root.set(path[...], to: try readValue(level: 0)) else { throw failure("a table above this name") }
            }
            skip(lines: false)
            guard peek == nil || peek == UInt8(ascii: "\n") else { throw failure("the end of the line") }
        }
    }

    private mutating func readHeading(_ root: inout TOMLTable) throws(TOMLError) -> [String] {
        try expect("[")
        let isArray = peek == UInt8(ascii: "[")
        if isArray { offset += 1 }
        let path = try readPath()
        try expect("]")
        guard isArray else { return path }
        try expect("]")
        try count()
        guard root.append(path) else { throw failure("an array of tables") }
        return path
    }

    private mutating func readPath() throws(TOMLError) -> [String] {
        var path: [String] = []
        repeat {
            guard path.count < Self.mostLevels else { throw failure("at most \(Self.mostLevels) names") }
            skip(lines: false)
            path.append(try readName())
            skip(lines: false)
        } while take(UInt8(ascii: "."))
        return path
    }

    private mutating func readName() throws(TOMLError) -> String {
        if peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'") { return try readString() }
        let start = offset
        while let byte = peek, Self.isOfBareName(byte) { offset += 1 }
        guard offset > start else { throw failure("a name") }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    private static func isOfBareName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }

    // MARK: - Values

    private mutating func readValue(level: Int) throws(TOMLError) -> TOMLValue {
        guard level < Self.mostLevels else { throw failure("at most \(Self.mostLevels) levels") }
        try count()
        skip(lines: false)
        switch peek {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .string(try readString())
        case UInt8(ascii: "["): return try readArray(level: level)
        case UInt8(ascii: "{"): return try readInlineTable(level: level)
        default: return try readBareValue()
        }
    }

    private mutating func readArray(level: Int) throws(TOMLError) -> TOMLValue {
        try expect("[")
        var elements: [TOMLValue] = []
        skip(lines: true)
        while !take(UInt8(ascii: "]")) {
            elements.append(try readValue(level: level + 1))
            skip(lines: true)
            guard !take(UInt8(ascii: ",")) else {
                skip(lines: true)
                continue
            }
            guard peek == UInt8(ascii: "]") else { throw failure("a comma or ]") }
        }
        return .array(elements)
    }

    private mutating func readInlineTable(level: Int) throws(TOMLError) -> TOMLValue {
        try expect("{")
        var table = TOMLTable()
        skip(lines: false)
        while !take(UInt8(ascii: "}")) {
            let path = try readPath()
            try expect("=")
            guard table.set(path[...], to: try readValue(level: level + 1)) else { throw failure("a table") }
            skip(lines: false)
            guard !take(UInt8(ascii: ",")) else {
                skip(lines: false)
                continue
            }
            guard peek == UInt8(ascii: "}") else { throw failure("a comma or }") }
        }
        return .table(table)
    }

    private mutating func readBareValue() throws(TOMLError) -> TOMLValue {
        let start = offset
        while let byte = peek, !Self.endsBareValue(byte) { offset += 1 }
        guard offset > start else { throw failure("a value") }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if text == "true" || text == "false" { return .bool(text == "true") }
        let digits = text.filter { character in character != "_" }
        return Int(digits).map { number in .integer(number) } ?? .other(text)
    }

    private static func endsBareValue(_ byte: UInt8) -> Bool {
        byte <= 0x20 || Array(",]}#=[{\"'".utf8).contains(byte)
    }

    // MARK: - Strings

    private mutating func readString() throws(TOMLError) -> String {
        guard let quote = peek else { throw failure("a string") }
        let isLong = bytes[offset...].starts(with: [quote, quote, quote])
        offset += isLong ? 3 : 1
        if isLong, take(UInt8(ascii: "\n")) { line += 1 }
        var text: [UInt8] = []
        while let byte = peek {
            if byte == quote, !isLong || bytes[offset...].starts(with: [quote, quote, quote]) {
                offset += isLong ? 3 : 1
                return String(decoding: text, as: UTF8.self)
            }
            if byte == UInt8(ascii: "\n") {
                guard isLong else { throw failure("the end of the string") }
                line += 1
            }
            offset += 1
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                try readEscape(&text, isLong: isLong)
            } else {
                text.append(byte)
            }
        }
        throw failure("the end of the string")
    }

    private mutating func readEscape(_ text: inout [UInt8], isLong: Bool) throws(TOMLError) {
        guard let byte = peek else { throw failure("an escape") }
        offset += 1
        switch byte {
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(byte)
        case UInt8(ascii: "u"): try readScalar(&text, digits: 4)
        case UInt8(ascii: "U"): try readScalar(&text, digits: 8)
        case 0x20, 0x09, 0x0A, 0x0D:
            // At the end of a line: that end and all blanks after it do not count.
            guard isLong else { throw failure("an escape") }
            offset -= 1
            while let blank = peek, blank == 0x20 || (0x09...0x0D).contains(blank) {
                if blank == 0x0A { line += 1 }
                offset += 1
            }
        default: throw failure("an escape")
        }
    }

    private mutating func readScalar(_ text: inout [UInt8], digits: Int) throws(TOMLError) {
        let end = min(bytes.count, offset + digits)
        let number = UInt32(String(decoding: bytes[offset..<end], as: UTF8.self), radix: 16)
        guard end - offset == digits, let scalar = number.flatMap(Unicode.Scalar.init) else {
            throw failure("\(digits) hexadecimal digits")
        }
        offset = end
        text += Array(String(Character(scalar)).utf8)
    }

    // MARK: - Bytes

    private var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        offset += 1
        return true
    }

    private mutating func expect(_ text: Unicode.Scalar) throws(TOMLError) {
        guard take(UInt8(ascii: text)) else { throw failure("\(text)") }
    }

    /// Skips blanks and comments, and with `lines` the ends of lines too.
    private mutating func skip(lines: Bool) {
        while let byte = peek {
            switch byte {
            case 0x20, 0x09, 0x0D: offset += 1
            case UInt8(ascii: "#"): while let next = peek, next != 0x0A { offset += 1 }
            case 0x0A where lines:
                line += 1
                offset += 1
            default: return
            }
        }
    }

    private mutating func count() throws(TOMLError) {
        values += 1
        guard values <= Self.mostValues else { throw failure("at most \(Self.mostValues) values") }
    }

    private func failure(_ expected: String) -> TOMLError { TOMLError(line: line, expected: expected) }
}
