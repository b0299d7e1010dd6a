package import CNIProtocol
internal import Yams

/// YAML as Kubernetes uses it: a stream of documents that are JSON values.
package enum YAMLDocuments {
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// The documents of a text, in order; JSON is YAML too, and an empty document is null.
    ///
    /// - Throws: Where the text breaks, by line and column, and why.
    package static func read(_ text: String) throws(Failure) -> [JSONValue] {
        do {
            var result: [JSONValue] = []
            var documents = try compose_all(yaml: text)
            while let node = documents.next() { result.append(try JSONValue(node)) }
            // The sequence ends at what cannot be read, and keeps the reason.
            if let error = documents.error { throw error }
            return result
        } catch let failure as Failure {
            throw failure
        } catch let error as YamlError {
            throw Failure(description: "no YAML: \(error.place)")
        } catch {
            throw Failure(description: "no YAML: \(error)")
        }
    }

    /// Documents as a text that `kubectl apply -f -` takes, `---` between them, members in their order.
    package static func text(_ documents: [JSONValue]) throws(Failure) -> String {
        do {
            return try serialize(nodes: documents.map { $0.node }, width: -1, explicitStart: documents.count > 1)
        } catch {
            throw Failure(description: "cannot write YAML: \(error)")
        }
    }
}

extension YamlError {
    /// Where the text breaks and why, on one line.
    fileprivate var place: String {
        switch self {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let beginning = context.map { ", \($0.text) that begins in line \($0.mark.line)" } ?? ""
            return "line \(mark.line), column \(mark.column): \(problem)\(beginning)"
        case .duplicatedKeysInMapping(let keys, let context):
            return "line \(context.mark.line), column \(context.mark.column): a mapping that has twice: "
                + keys.sorted().joined(separator: ", ")
        default: return description.split(separator: "\n").joined(separator: " ")
        }
    }
}

// MARK: - Values

extension JSONValue {
    /// Kubernetes reads plain scalars as YAML 1.1 does, and so does Yams' resolver.
    fileprivate init(_ node: Node) throws {
        switch node {
        case .mapping(let mapping):
            self = .object(
                try mapping.map { key, value in
                    guard let name = key.string else {
                        throw YAMLDocuments.Failure(description: "line \(key.mark?.line ?? 0): a key is no text")
                    }
                    return JSONMember(name, try JSONValue(value))
                }
            )
        case .sequence(let sequence): self = .array(try sequence.map { try JSONValue($0) })
        case .scalar(let scalar): self = JSONValue(scalar, tag: node.tag)
        case .alias:
            throw YAMLDocuments.Failure(description: "line \(node.mark?.line ?? 0): an alias without its anchor")
        }
    }

    private init(_ scalar: Node.Scalar, tag: Tag) {
        let node = Node.scalar(scalar)
        if tag == .implicit || scalar.style != .plain {
            self = .string(scalar.string)
        } else if node.null != nil {
            self = .null
        } else if let bool = node.bool {
            self = .bool(bool)
        } else if let int = node.int {
            self = .integer(int)
        } else if let float = node.float, float.isFinite {
            self = .number("\(float)")
        } else {
            self = .string(scalar.string)
        }
    }

    fileprivate var node: Node {
        switch self {
        case .null: Node("null", Tag(.null))
        case .bool(let value): Node(value ? "true" : "false", Tag(.bool))
        case .number(let text): Node(text, Tag(text.contains { ".eE".contains($0) } ? .float : .int))
        case .string(let text): Self.textNode(text)
        case .array(let elements): Node(elements.map { $0.node }, .implicit, elements.isEmpty ? .flow : .block)
        case .object(let members):
            Node(
                members.map { member in (Self.textNode(member.name), member.value.node) },
                .implicit,
                members.isEmpty ? .flow : .block
            )
        }
    }

    /// Quoted where a reader would take the plain text for something else: `"true"`, `"15020"`, an empty text.
    private static func textNode(_ text: String) -> Node {
        if text.contains("\n") { return Node(text, Tag(.str), .literal) }
        let plain = Node(text)
        let isAmbiguous =
            plain.bool != nil || plain.int != nil || plain.float != nil || plain.timestamp != nil
            || ["", "~", "null", "y", "n", "yes", "no", "on", "off"].contains(text.lowercased())
        return Node(text, Tag(.str), isAmbiguous ? .doubleQuoted : .any)
    }
}
