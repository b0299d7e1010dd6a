/// Which objects of a kind a list or a watch is about.
package struct ObjectQuery: Equatable, Sendable {
    package var path: ResourcePath

    /// Terms with commas between them: `spec.nodeName=node-1`.
    package var fieldSelector: String

    package init(_ path: ResourcePath, fieldSelector: String) {
        self.path = path
        self.fieldSelector = fieldSelector
    }

    /// All pods of one node.
    package static func pods(onNode node: String) -> ObjectQuery {
        ObjectQuery(.pods, fieldSelector: "spec.nodeName=\(node)")
    }

    func listTarget(_ freshness: ListWatch.Freshness, continuation: String?) -> String {
        var parameters: [(String, String)] = []
        if let continuation {
            // The token says which version; both together are refused.
            parameters.append(("continue", continuation))
        } else if freshness == .anyAge {
            parameters.append(("resourceVersion", "0"))
        }
        return target(parameters)
    }

    func watchTarget(from version: ResourceVersion, seconds: Int) -> String {
        target([
            ("watch", "1"), ("allowWatchBookmarks", "true"), ("resourceVersion", version.rawValue),
            ("timeoutSeconds", String(seconds)),
        ])
    }

    private func target(_ parameters: [(String, String)]) -> String {
        let texts = (parameters + [("fieldSelector", fieldSelector)]).map { name, value in
            "\(name)=\(Self.encoded(value))"
        }
        return "\(path.text)?\(texts.joined(separator: "&"))"
    }

    /// Percent-encodes all but what RFC 3986 section 2.3 leaves alone everywhere.
    private static func encoded(_ text: String) -> String {
        var output = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                output.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                output += byte < 0x10 ? "%0" : "%"
                output += String(byte, radix: 16, uppercase: true)
            }
        }
        return output
    }
}
