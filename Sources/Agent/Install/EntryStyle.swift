internal import CNIProtocol

/// How an entry is laid out, so that it looks like the element before it.
struct EntryStyle: Equatable {
    /// Between the comma and the entry.
    let separator: [UInt8]
    private let layout: Layout

    private enum Layout: Equatable {
        case compact
        case oneLine

        /// One member a line: what ends a line, what every line begins with, and what each level adds.
        case lines(end: [UInt8], indent: [UInt8], step: [UInt8])
    }

    /// Two spaces a level, as upstream writes.
    static let ofOwnFile = EntryStyle(separator: [], layout: .lines(end: [0x0A], indent: [], step: spaces(2)))

    private init(separator: [UInt8], layout: Layout) {
        self.separator = separator
        self.layout = layout
    }

    /// The style of an element of an array; `bytes` are the whole document.
    init(of element: Range<Int>, in bytes: [UInt8]) {
        let start = Self.startOfLine(element.lowerBound, in: bytes)
        let lead = Array(bytes[start..<element.lowerBound])
        let standsAlone = start > 0 && lead.allSatisfy(Self.isIndent)
        let lineEnd = Self.lineEnd(before: start, in: bytes)
        separator = standsAlone ? lineEnd + lead : Self.blank(before: element.lowerBound, in: bytes)

        guard let firstBreak = bytes[element].firstIndex(of: 0x0A) else {
            layout = Self.hasSpacedColons(Array(bytes[element])) ? .oneLine : .compact
            return
        }
        // Where the element began on another line than its own, its last line tells.
        let lastLine = Self.startOfLine(element.upperBound - 1, in: bytes)
        let indent = standsAlone ? lead : Array(bytes[lastLine..<element.upperBound].prefix(while: Self.isIndent))
        let member = Array(bytes[(firstBreak + 1)..<element.upperBound].prefix(while: Self.isIndent))
        let isDeeper = member.count > indent.count && member.starts(with: indent)
        let step = isDeeper ? Array(member.dropFirst(indent.count)) : indent.contains(0x09) ? [0x09] : Self.spaces(2)
        layout = .lines(end: Self.lineEnd(before: firstBreak + 1, in: bytes), indent: indent, step: step)
    }

    func render(_ entry: JSONValue) -> [UInt8] {
        // No string of a document holds a line end: it is written as an escape.
        let lines = entry.bytes(.indented).split(separator: 0x0A)
        switch layout {
        case .compact: return entry.bytes()
        case .oneLine: return Array(lines.map { line in line.drop { byte in byte == 0x20 } }.joined(separator: [0x20]))
        case .lines(let end, let indent, let step):
            let indented = lines.enumerated().map { number, line in
                let text = line.drop { byte in byte == 0x20 }
                let level = (line.count - text.count) / Self.spacesOfWriter
                return number == 0 ? Array(text) : indent + repeatElement(step, count: level).joined() + text
            }
            return Array(indented.joined(separator: end))
        }
    }

    /// What `JSONLayout.indented` adds a level.
    private static let spacesOfWriter = 4

    private static func spaces(_ count: Int) -> [UInt8] { Array(repeating: 0x20, count: count) }

    private static func isIndent(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func startOfLine(_ offset: Int, in bytes: [UInt8]) -> Int {
        bytes[..<offset].lastIndex(of: 0x0A).map { index in index + 1 } ?? 0
    }

    /// The end of the line before the one that starts here.
    private static func lineEnd(before start: Int, in bytes: [UInt8]) -> [UInt8] {
        start >= 2 && bytes[start - 2] == 0x0D ? [0x0D, 0x0A] : [0x0A]
    }

    /// The blanks just before an element that shares its line with another.
    private static func blank(before offset: Int, in bytes: [UInt8]) -> [UInt8] {
        let blanks = bytes[..<offset].reversed().prefix(while: isIndent)
        let before = offset - blanks.count
        return before > 0 && bytes[before - 1] == UInt8(ascii: ",") ? Array(blanks.reversed()) : []
    }

    private static func hasSpacedColons(_ element: [UInt8]) -> Bool {
        guard let first = (try? JSONDocument(element))?.memberRanges.first else {
            // An empty object: nothing to look like.
            return false
        }
        return element[first.lowerBound - 1] == 0x20
    }
}
