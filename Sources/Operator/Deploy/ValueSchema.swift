package import CNIProtocol

/// The part of JSON Schema that `values.schema.json` and ``DocumentSchema`` are written in: `type`, `enum`, `properties`,
/// `additionalProperties`, `items` and `$ref` to a definition.
///
/// Other words are let pass; Helm checks its values against the whole schema once more.
package struct ValueSchema: Sendable {
    private let definitions: JSONValue
    private let root: JSONValue

    package init(_ schema: JSONValue) {
        definitions = schema["$defs"] ?? .null
        root = schema
    }

    private init(definitions: JSONValue, root: JSONValue) {
        self.definitions = definitions
        self.root = root
    }

    /// The schema of one member of the objects that this one describes, or nil where it names none.
    package func property(_ name: String) -> ValueSchema? {
        resolved["properties"]?[name].map { ValueSchema(definitions: definitions, root: $0) }
    }

    /// One of `$defs`; a schema that allows everything where there is none.
    func definition(_ name: String) -> ValueSchema {
        ValueSchema(definitions: definitions, root: definitions[name] ?? .null)
    }

    var propertyNames: [String] { resolved["properties"]?.members?.map(\.name) ?? [] }

    private var resolved: JSONValue {
        guard let reference = root["$ref"]?.string, let name = reference.split(separator: "/").last else { return root }
        return definitions[String(name)] ?? root
    }

    /// Everything in a value that the schema does not allow; null is allowed everywhere, as "not set".
    ///
    /// - Parameters:
    ///   - value: What somebody wrote.
    ///   - path: Where it stands.
    /// - Returns: One finding a field, in the order of the value.
    func findings(in value: JSONValue, at path: String) -> [DocumentError.Finding] {
        let schema = resolved
        if value.isNull { return [] }
        if let finding = typeFinding(value, schema, path) { return [finding] }
        switch value {
        case .object(let members): return members.flatMap { memberFindings($0, schema, path) }
        case .array(let elements):
            guard let items = schema["items"] else { return [] }
            let element = ValueSchema(definitions: definitions, root: items)
            return elements.enumerated().flatMap { element.findings(in: $0.element, at: "\(path)[\($0.offset)]") }
        default: return []
        }
    }

    private func typeFinding(_ value: JSONValue, _ schema: JSONValue, _ path: String) -> DocumentError.Finding? {
        let names = schema["type"]?.strings ?? schema["type"]?.string.map { [$0] } ?? []
        if !names.isEmpty, !names.contains(where: value.isOfSchemaType) {
            let wanted = names.filter { $0 != "null" }.joined(separator: " or ")
            return .init(path: path, problem: "is \(value.kind), want \(wanted)")
        }
        guard let allowed = schema["enum"]?.array, !allowed.contains(value) else { return nil }
        let texts = allowed.compactMap(\.string).filter { !$0.isEmpty }
        let nearest = value.string.flatMap { NearestName.of($0, among: texts) }
        let guess = nearest.map { "; did you mean \($0)?" } ?? ""
        return .init(path: path, problem: "\(value.text()) is none of \(texts.joined(separator: ", "))\(guess)")
    }

    private func memberFindings(
        _ member: JSONMember,
        _ schema: JSONValue,
        _ path: String
    ) -> [DocumentError.Finding] {
        let place = path.isEmpty ? member.name : "\(path).\(member.name)"
        if let next = property(member.name) { return next.findings(in: member.value, at: place) }
        switch schema["additionalProperties"] {
        case .bool(false): return [.init(path: place, problem: "no such field\(guess(member.name, path))")]
        case .some(let next) where next.members != nil:
            return ValueSchema(definitions: definitions, root: next).findings(in: member.value, at: place)
        default: return []
        }
    }

    /// The nearest name here, or else where a field of exactly this name is.
    private func guess(_ name: String, _ path: String) -> String {
        if let nearest = NearestName.of(name, among: propertyNames) { return "; did you mean \(nearest)?" }
        for inner in propertyNames {
            guard let schema = property(inner), schema.propertyNames.contains(name) else { continue }
            return "; did you mean \(path.isEmpty ? "" : path + ".")\(inner).\(name)?"
        }
        return propertyNames.isEmpty ? "" : "; there are \(propertyNames.sorted().joined(separator: ", "))"
    }
}

extension JSONValue {
    fileprivate func isOfSchemaType(_ name: String) -> Bool {
        switch (self, name) {
        case (.null, "null"), (.bool, "boolean"), (.number, "number"), (.string, "string"), (.array, "array"),
            (.object, "object"):
            true
        case (.number, "integer"): integer != nil
        default: false
        }
    }
}
