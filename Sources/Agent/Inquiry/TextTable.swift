/// Columns of text, each as wide as its widest cell.
package struct TextTable {
    private let titles: [String]
    private var rows: [(cells: [String], style: TextStyle.Code?)] = []

    package init(titles: [String]) { self.titles = titles }

    /// - Parameters:
    ///   - cells: As many as there are titles; text from outside, so a terminal must not obey it.
    ///   - style: Of the whole row.
    package mutating func add(_ cells: [String], style: TextStyle.Code?) {
        rows.append((cells.map { cell in cell.isEmpty ? "-" : LineLogHandler.printable(cell) }, style))
    }

    package func lines(_ style: TextStyle) -> [String] {
        let all = [titles] + rows.map { row in row.cells }
        let widths = titles.indices.map { column in all.map { cells in cells[column].count }.max() ?? 0 }
        let head = style.paint(Self.line(titles, widths), .bold)
        return [head]
            + rows.map { row in
                let line = Self.line(row.cells, widths)
                return row.style.map { code in style.paint(line, code) } ?? line
            }
    }

    private static func line(_ cells: [String], _ widths: [Int]) -> String {
        var text = ""
        for (cell, width) in zip(cells, widths) {
            text += cell + String(repeating: " ", count: width - cell.count + 2)
        }
        while text.last == " " { text.removeLast() }
        return text
    }
}

/// Colour where somebody looks, and none in a pipe.
package struct TextStyle {
    package let hasColour: Bool

    package init(hasColour: Bool) { self.hasColour = hasColour }

    /// Select Graphic Rendition (ECMA-48, 8.3.117).
    package enum Code: String {
        case bold = "1"
        case red = "31"
        case green = "32"
    }

    package func paint(_ text: String, _ code: Code) -> String {
        hasColour ? "\u{1B}[\(code.rawValue)m\(text)\u{1B}[0m" : text
    }
}
