/// How the white space of a document is written.
package enum JSONLayout: Sendable {
    /// None at all.
    case compact

    /// One member or element a line, four spaces a level, as the CNI reference library prints.
    case indented
}

extension JSONValue {
    /// The value as a JSON document in UTF-8, without a newline at the end.
    package func bytes(_ layout: JSONLayout = .compact) -> [UInt8] {
        var writer = JSONWriter(layout: layout)
        writer.write(self, level: 0)
        return writer.output
    }

    /// The value as a JSON document, without a newline at the end.
    package func text(_ layout: JSONLayout = .compact) -> String {
        String(decoding: bytes(layout), as: UTF8.self)
    }
}

private struct JSONWriter {
    let layout: JSONLayout
    private(set) var output: [UInt8] = []

    init(layout: JSONLayout) { self.layout = layout }

    mutating func write(_ value: JSONValue, level: Int) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .number(let text): append(text)
        case .string(let string): write(string)
        case .array(let elements): write(elements, level: level)
        case .object(let members): write(members, level: level)
        }
    }

    private mutating func write(_ elements: [JSONValue], level: Int) {
        output.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            breakLine(level: level + 1)
            write(element, level: level + 1)
        }
        if !elements.isEmpty { breakLine(level: level) }
        output.append(UInt8(ascii: "]"))
    }

    private mutating func write(_ members: [JSONMember], level: Int) {
        output.append(UInt8(ascii: "{"))
        for (index, member) in members.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            breakLine(level: level + 1)
            write(member.name)
            output.append(UInt8(ascii: ":"))
            if case .indented = layout { output.append(UInt8(ascii: " ")) }
            write(member.value, level: level + 1)
        }
        if !members.isEmpty { breakLine(level: level) }
        output.append(UInt8(ascii: "}"))
    }

    private mutating func breakLine(level: Int) {
        guard case .indented = layout else { return }
        output.append(UInt8(ascii: "\n"))
        output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 4 * level))
    }

    private mutating func append(_ text: String) { output.append(contentsOf: text.utf8) }

    private mutating func write(_ string: String) {
        output.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                output.append(UInt8(ascii: "\\"))
                output.append(byte)
            case 0x0A: append("\\n")
            case 0x0D: append("\\r")
            case 0x09: append("\\t")
            case 0x00..<0x20:
                append("\\u00")
                append(byte < 0x10 ? "0" : "1")
                append(String(byte & 0x0F, radix: 16))
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}
