package import CNIProtocol

/// `--set PATH=VALUE`, as `istioctl` takes it: `values.cni.chained=false`.
///
/// A dot in a name is written `\.`. A value is a number, `true`, `false` or `null` where it reads so, a list in `{a,b}`,
/// else a text; a tag and a version are always texts, and so is all of `proxyMetadata`.
package struct SetExpression: Equatable, Sendable {
    package let path: [String]
    package let value: JSONValue

    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    package init(_ text: String) throws(Failure) {
        guard let equals = text.firstIndex(of: "=") else {
            throw Failure(description: "--set \(text): want PATH=VALUE")
        }
        let path = Self.path(text[..<equals])
        guard !path.contains("") else { throw Failure(description: "--set \(text): the path has an empty name") }
        self.path = path
        let rest = text[text.index(after: equals)...]
        let isText = ["tag", "compatibilityVersion"].contains(path.last) || path.contains("proxyMetadata")
        if rest.hasPrefix("{"), rest.hasSuffix("}"), rest.count >= 2 {
            let elements = rest.dropFirst().dropLast().split(separator: ",")
            value = .array(elements.map { Self.value($0, isText: isText) })
        } else {
            value = Self.value(rest, isText: isText)
        }
    }

    /// The names of a path: split at dots that no backslash stands before.
    static func path(_ text: some StringProtocol) -> [String] {
        var names = [""]
        var isEscaped = false
        for character in text {
            if isEscaped || (character != "\\" && character != ".") {
                names[names.count - 1].append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                names.append("")
            }
        }
        return names
    }

    private static func value(_ text: Substring, isText: Bool) -> JSONValue {
        if isText { return .string(String(text)) }
        switch text {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "null": return .null
        default: break
        }
        if let number = Int(text), String(number) == text { return .integer(number) }
        if let number = Double(text), String(number) == text { return .number(String(text)) }
        return .string(String(text))
    }
}
