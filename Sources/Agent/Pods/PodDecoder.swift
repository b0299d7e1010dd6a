package import CNIProtocol
package import Redirect

/// Why some JSON is no pod, and where.
package struct PodError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The path of the field: `spec.containers[0].env[2].name`.
    package let field: String
    package let problem: String

    package var description: String { field.isEmpty ? problem : "\(field) \(problem)" }
}

extension Pod {
    /// Reads a pod as the API server writes it.
    ///
    /// Only what decides about redirection is read, and an absent field is an empty one, as in Kubernetes itself.
    package init(json bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(PodError) {
        let document: JSONValue
        do throws(JSONError) {
            document = try JSONValue(parsing: bytes, limits: limits)
        } catch {
            throw PodError(field: "", problem: "no JSON: \(error.description)")
        }
        try self.init(document)
    }

    package init(_ document: JSONValue) throws(PodError) {
        let pod = try PodField(document, "")
        let kind = try pod["kind"].text() ?? "Pod"
        guard kind == "Pod" else { throw PodError(field: "kind", problem: "is not Pod") }

        let metadata = try pod["metadata"]
        guard let name = try metadata["name"].text(), !name.isEmpty else {
            throw PodError(field: "metadata.name", problem: "is missing")
        }
        let namespace = try metadata["namespace"].text() ?? ""
        let spec = try pod["spec"]
        let initContainers = try spec["initContainers"].elements()
        let containers = try spec["containers"].elements()
        self.init(
            namespace: namespace.isEmpty ? "default" : namespace,
            name: name,
            uid: try metadata["uid"].text() ?? "",
            annotations: try metadata["annotations"].texts(),
            labels: try metadata["labels"].texts(),
            containers: try (initContainers + containers).map { field throws(PodError) in try Container(field) }
        )
    }
}

extension Pod.Container {
    fileprivate init(_ container: PodField) throws(PodError) {
        var environment: [String: String] = [:]
        for variable in try container["env"].elements() {
            guard let name = try variable["name"].text() else {
                throw PodError(field: variable.path + ".name", problem: "is missing")
            }
            environment[name] = try variable["value"].text() ?? ""
        }
        let context = try container["securityContext"]
        self.init(
            name: try container["name"].text() ?? "",
            arguments: try container["args"].elements().map { field throws(PodError) in try field.text() ?? "" },
            environment: environment,
            user: try context["runAsUser"].identifier(),
            group: try context["runAsGroup"].identifier()
        )
    }
}

/// One value of a pod and where it is; null and absence are the same.
private struct PodField {
    let value: JSONValue
    let path: String

    init(_ value: JSONValue, _ path: String) throws(PodError) {
        self.value = value
        self.path = path
    }

    subscript(name: String) -> PodField {
        get throws(PodError) {
            guard value.isNull || value.members != nil else { throw isNot("an object") }
            return try PodField(value[name] ?? .null, path.isEmpty ? name : "\(path).\(name)")
        }
    }

    func text() throws(PodError) -> String? {
        guard !value.isNull else { return nil }
        guard let text = value.string else { throw isNot("a string") }
        return text
    }

    func texts() throws(PodError) -> [String: String] {
        guard !value.isNull else { return [:] }
        guard let texts = value.stringsByName else { throw isNot("an object of strings") }
        return texts
    }

    func elements() throws(PodError) -> [PodField] {
        guard !value.isNull else { return [] }
        guard let elements = value.array else { throw isNot("an array") }
        var fields: [PodField] = []
        for (index, element) in elements.enumerated() { fields.append(try PodField(element, "\(path)[\(index)]")) }
        return fields
    }

    func identifier() throws(PodError) -> UInt32? {
        guard !value.isNull else { return nil }
        guard let number = value.integer, let identifier = UInt32(exactly: number) else {
            throw isNot("a number 0-4294967295")
        }
        return identifier
    }

    private func isNot(_ expected: String) -> PodError { PodError(field: path, problem: "is not \(expected)") }
}
