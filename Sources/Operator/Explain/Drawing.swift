internal import Foundation

/// A picture made of boxes, arrows and text, with every place known before it is written.
package struct Drawing: Sendable {
    package let width: Double
    package internal(set) var height: Double
    package private(set) var texts: [Text] = []
    private var shapes: [String] = []

    /// Text of one line; its font has one width for all characters, so its place is known.
    package struct Text: Equatable, Sendable {
        package let string: String
        package let x: Double

        /// Of the line that letters stand on.
        package let y: Double
        package let size: Double
        package let anchor: Anchor

        package enum Anchor: String, Sendable {
            case start
            case middle
        }

        /// The widest advance of the fonts named in ``Drawing/fonts``, in units of the size: 0.602 in DejaVu Sans Mono.
        package static let advance = 0.61

        package var width: Double { Double(string.count) * Self.advance * size }
        package var left: Double { anchor == .start ? x : x - width / 2 }
        package var right: Double { left + width }
        package var top: Double { y - size * 0.95 }
        package var bottom: Double { y + size * 0.28 }
    }

    package static let fonts = "'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace"

    package init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    mutating func addText(
        _ string: String,
        _ x: Double,
        _ y: Double,
        size: Double,
        _ colour: Colour,
        anchor: Text.Anchor = .start,
        isBold: Bool = false
    ) {
        texts.append(Text(string: string, x: x, y: y, size: size, anchor: anchor))
        let weight = isBold ? " font-weight=\"700\"" : ""
        shapes.append(
            "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(number(size))\" fill=\"\(colour.rawValue)\""
                + " text-anchor=\"\(anchor.rawValue)\"\(weight)>\(Self.escaped(string))</text>"
        )
    }

    mutating func addBox(_ x: Double, _ y: Double, _ width: Double, _ height: Double, fill: Colour, line: Colour) {
        shapes.append(
            "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(width))\" height=\"\(number(height))\" rx=\"8\""
                + " fill=\"\(fill.rawValue)\" stroke=\"\(line.rawValue)\" stroke-width=\"1.5\"/>"
        )
    }

    /// An arrow along points, with its head at the last.
    mutating func addArrow(_ points: [(x: Double, y: Double)], _ colour: Colour, isDashed: Bool = false) {
        let path = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
        let dashes = isDashed ? " stroke-dasharray=\"6 4\"" : ""
        shapes.append(
            "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(colour.rawValue)\" stroke-width=\"2\"\(dashes)"
                + " marker-end=\"url(#head-\(colour))\"/>"
        )
    }

    package enum Colour: String, CaseIterable, Sendable {
        case paper = "#ffffff"
        case ink = "#111827"
        case faint = "#4b5563"
        case rule = "#d1d5db"
        case application = "#1d4ed8"
        case applicationFill = "#e6effd"
        case sidecar = "#6d28d9"
        case sidecarFill = "#f0e9fe"
        case network = "#374151"
        case networkFill = "#eef0f3"
        case past = "#b45309"
    }

    package var svg: String {
        let heads = [Colour.sidecar, .past, .network].map { colour in
            "<marker id=\"head-\(colour)\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" markerHeight=\"8\""
                + " orient=\"auto\"><path d=\"M0,0 L10,5 L0,10 z\" fill=\"\(colour.rawValue)\"/></marker>"
        }
        let size = "width=\"\(number(width))\" height=\"\(number(height))\""
        let head = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" \(size) viewBox=\"0 0 \(number(width)) \(number(height))\""
                + " font-family=\"\(Self.fonts)\">",
            "<defs>\(heads.joined())</defs>",
            "<rect \(size) fill=\"\(Colour.paper.rawValue)\"/>",
        ]
        return (head + shapes + ["</svg>", ""]).joined(separator: "\n")
    }

    private func number(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : String(format: "%.1f", value)
    }

    /// XML 1.0: these have a meaning, and control characters are not allowed at all.
    static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result += character.unicodeScalars.allSatisfy { $0.value >= 0x20 } ? String(character) : "\u{FFFD}"
            }
        }
    }
}
