package import CNIProtocol
internal import Redirect

/// Why some JSON is no pod, and where.
package struct PodError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The path of the field: `spec.containers[0].env[2].name`.
    package let field: String
    package let problem: String

    package var description: String { field.isEmpty ? problem : "\(field) \(problem)" }
}

extension NodePod {
    /// Reads a pod as the API server writes it.
    ///
    /// Only what the agent uses is read and kept, and an absent field is an empty one, as in Kubernetes itself. Of the
    /// annotations those stay that decide about redirection, and the named ones.
    package init(
        json bytes: [UInt8],
        limits: JSONLimits = JSONLimits(),
        keeping annotations: Set<String> = []
    ) throws(PodError) {
        let document: JSONValue
        do throws(JSONError) {
            document = try JSONValue(parsing: bytes, limits: limits)
        } catch {
            throw PodError(field: "", problem: "no JSON: \(error.description)")
        }
        try self.init(document, keeping: annotations)
    }

    package init(_ document: JSONValue, keeping annotations: Set<String> = []) throws(PodError) {
        let object = try PodField(document, "")
        let kind = try object["kind"].text() ?? "Pod"
        guard kind == "Pod" else { throw PodError(field: "kind", problem: "is not Pod") }

        let pod = try Pod(object)
        let metadata = try object["metadata"]
        let spec = try object["spec"]
        let status = try object["status"]
        self.init(
            pod.keepingWhatDecides(annotations: annotations),
            resourceVersion: try metadata["resourceVersion"].text() ?? "",
            ownerUID: try Self.controller(metadata),
            addresses: try Self.addresses(status),
            isOnHostNetwork: try spec["hostNetwork"].boolean() ?? false,
            hasOwnUsers: try spec["hostUsers"].boolean() == false,
            isBeingDeleted: try metadata["deletionTimestamp"].text() != nil,
            phase: Phase(rawValue: try status["phase"].text() ?? "") ?? .unknown,
            initContainers: try status["initContainerStatuses"].elements().map { field throws(PodError) in
                try ContainerStatus(field)
            }
        )
        isolatedRuntime = Self.isolatedRuntime(try spec["runtimeClassName"].text() ?? "")
    }

    /// Classes are named by whoever runs the cluster; these words are in the names that the projects' own pages use.
    private static func isolatedRuntime(_ name: String) -> String {
        let words = ["gvisor", "runsc", "kata", "firecracker"]
        return words.contains { name.lowercased().contains($0) } ? name : ""
    }

    /// The UID of the one owner with `controller: true`.
    private static func controller(_ metadata: PodField) throws(PodError) -> String? {
        for owner in try metadata["ownerReferences"].elements() where try owner["controller"].boolean() == true {
            return try owner["uid"].text()
        }
        return nil
    }

    private static func addresses(_ status: PodField) throws(PodError) -> [String] {
        var addresses: [String] = []
        for element in try status["podIPs"].elements() {
            if let address = try element["ip"].text() { addresses.append(address) }
        }
        if addresses.isEmpty, let address = try status["podIP"].text(), !address.isEmpty { addresses.append(address) }
        return addresses
    }
}

extension NodePod.ContainerStatus {
    fileprivate init(_ field: PodField) throws(PodError) {
        self.init(
            name: try field["name"].text() ?? "",
            ended: try NodePod.Termination(field["state"]["terminated"]),
            endedBefore: try NodePod.Termination(field["lastState"]["terminated"])
        )
    }
}

extension NodePod.Termination {
    fileprivate init?(_ field: PodField) throws(PodError) {
        guard !field.value.isNull else { return nil }
        self.init(
            exitCode: field.value["exitCode"]?.integer ?? 0,
            reason: try field["reason"].text() ?? "",
            message: try field["message"].text() ?? ""
        )
    }
}

extension Pod {
    fileprivate init(_ pod: PodField) throws(PodError) {
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

    func boolean() throws(PodError) -> Bool? {
        guard !value.isNull else { return nil }
        guard let boolean = value.bool else { throw isNot("true or false") }
        return boolean
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
