package import CNIProtocol

/// The objects of a small cluster, and what happened to them, as an API server keeps them.
struct ClusterState: Sendable {
    struct Change: Sendable {
        let version: Int
        let type: String
        let path: String
        let object: JSONValue
    }

    /// By path: `/api/v1/namespaces/shop/pods/cart`.
    private(set) var objects: [String: JSONValue] = [:]
    private(set) var changes: [Change] = []
    private(set) var version = 1_000

    /// Changes up to this version are forgotten.
    var oldestVersion = 0

    private var createdCount = 0

    /// Adds an object or replaces it.
    @discardableResult
    mutating func put(_ object: JSONValue, at path: String) -> Change {
        version += 1
        let type = objects[path] == nil ? "ADDED" : "MODIFIED"
        let stored = object.setting(["metadata", "resourceVersion"], to: .string(String(version)))
        objects[path] = stored
        return remember(type, path, stored)
    }

    @discardableResult
    mutating func remove(_ path: String) -> Change? {
        guard let object = objects.removeValue(forKey: path) else { return nil }
        version += 1
        return remember("DELETED", path, object.setting(["metadata", "resourceVersion"], to: .string(String(version))))
    }

    private mutating func remember(_ type: String, _ path: String, _ object: JSONValue) -> Change {
        let change = Change(version: version, type: type, path: path, object: object)
        changes.append(change)
        return change
    }

    /// A version that nothing happens at, as the changes of other kinds make.
    mutating func advance() -> Int {
        version += 1
        return version
    }

    /// A name as the server makes it from `generateName`.
    mutating func generatedName(_ prefix: String) -> String {
        createdCount += 1
        return prefix + "x" + String(createdCount)
    }
}

/// Which objects a list or a watch is about.
struct Selection: Sendable {
    let collection: String
    let fields: [(path: [String], value: String)]

    /// Labels that an object must have, each with a value or with any.
    let labels: [(name: String, value: String?)]

    /// The first field that the server does not select by.
    let unsupportedField: String?

    private static let supportedFields: Set<String> = [
        "metadata.name", "metadata.namespace", "spec.nodeName", "status.phase",
    ]

    init(_ request: ReceivedRequest) {
        collection = request.path
        let terms = { (name: String) in (request.query[name] ?? "").split(separator: ",").map(String.init) }
        let pairs = terms("fieldSelector").map { term in
            let halves = term.split(separator: "=", omittingEmptySubsequences: true).map(String.init)
            return (halves.first ?? "", halves.count > 1 ? halves[1] : "")
        }
        labels = terms("labelSelector").map { term in
            let halves = term.split(separator: "=", omittingEmptySubsequences: true).map(String.init)
            return (halves.first ?? "", halves.count > 1 ? halves[1] : nil)
        }
        unsupportedField = pairs.map(\.0).first { name in !Self.supportedFields.contains(name) }
        fields = pairs.map { name, value in (name.split(separator: ".").map(String.init), value) }
    }

    func contains(_ object: JSONValue, at path: String) -> Bool {
        isInCollection(path)
            && fields.allSatisfy { field in (object.value(at: field.path)?.string ?? "") == field.value }
            && labels.allSatisfy { label in
                let value = object.value(at: ["metadata", "labels", label.name])?.string
                return value != nil && (label.value == nil || label.value == value)
            }
    }

    /// `/api/v1/pods` holds `/api/v1/namespaces/NAMESPACE/pods/NAME`; `/api/v1/namespaces/shop/pods` only those of one namespace.
    private func isInCollection(_ path: String) -> Bool {
        if path.hasPrefix(collection + "/") { return true }
        var parts = path.split(separator: "/")
        guard let at = parts.firstIndex(of: "namespaces"), at + 1 < parts.count, parts.count == at + 4 else {
            return false
        }
        parts.removeSubrange(at...(at + 1))
        parts.removeLast()
        return "/" + parts.joined(separator: "/") == collection
    }
}

extension JSONValue {
    package func value(at path: [String]) -> JSONValue? {
        path.isEmpty ? self : self[path[0]]?.value(at: Array(path.dropFirst()))
    }

    /// A copy with another value at a path; objects on the way are made.
    package func setting(_ path: [String], to value: JSONValue) -> JSONValue {
        guard let name = path.first else { return value }
        var members = self.members ?? []
        let rest = Array(path.dropFirst())
        if let index = members.firstIndex(where: { member in member.name == name }) {
            members[index].value = members[index].value.setting(rest, to: value)
        } else {
            members.append(JSONMember(name, JSONValue.object([]).setting(rest, to: value)))
        }
        return .object(members)
    }

    /// A copy with a merge patch applied (RFC 7396), or with a strategic one: lists of named objects then merge by name.
    func merging(_ patch: JSONValue, isStrategic: Bool = false) -> JSONValue {
        if isStrategic, let merged = mergingByName(patch) { return merged }
        guard let changes = patch.members else { return patch }
        var members = self.members ?? []
        // `$setElementOrder/containers` and the like are for lists of which the order counts.
        for change in changes where !change.name.hasPrefix("$") {
            let index = members.firstIndex { member in member.name == change.name }
            if change.value.isNull {
                if let index { members.remove(at: index) }
            } else if let index {
                members[index].value = members[index].value.merging(change.value, isStrategic: isStrategic)
            } else {
                members.append(JSONMember(change.name, JSONValue.object([]).merging(change.value)))
            }
        }
        return .object(members)
    }

    private func mergingByName(_ patch: JSONValue) -> JSONValue? {
        guard var elements = array, let changes = patch.array else { return nil }
        guard (elements + changes).allSatisfy({ $0["name"]?.string != nil }) else { return nil }
        for change in changes {
            if let index = elements.firstIndex(where: { $0["name"] == change["name"] }) {
                elements[index] = elements[index].merging(change, isStrategic: true)
            } else {
                elements.append(change)
            }
        }
        return .array(elements)
    }
}
