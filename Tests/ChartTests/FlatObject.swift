import CNIProtocol

/// An object of the API as a table of paths and what stands there, so that two of them can be compared line by line.
///
/// A list whose elements have names is a table of those names, as Kubernetes merges it: their order says nothing.
struct FlatObject: Equatable {
    private(set) var leaves: [String: JSONValue] = [:]

    init(_ value: JSONValue = .null) { if !value.isNull { add(value, at: "") } }

    /// Whether anything stands at or below a path.
    func has(_ path: String) -> Bool { leaves.keys.contains { $0 == path || $0.hasPrefix("\(path)/") } }

    /// Puts something in the place of all that stands at or below a path.
    mutating func set(_ value: JSONValue, at path: String) {
        leaves = leaves.filter { $0.key != path && !$0.key.hasPrefix("\(path)/") }
        add(value, at: path)
    }

    /// The paths at which two objects differ, in order, and both values.
    func differences(to other: FlatObject) -> [String] {
        Set(leaves.keys).union(other.leaves.keys).sorted().compactMap { path in
            let (one, two) = (leaves[path], other.leaves[path])
            return one == two ? nil : "\(path): \(one?.text() ?? "absent") -> \(two?.text() ?? "absent")"
        }
    }

    private mutating func add(_ value: JSONValue, at path: String) {
        switch value {
        case .object(let members) where !members.isEmpty:
            for member in members { add(member.value, at: "\(path)/\(Self.escaped(member.name))") }
        case .array(let elements) where !elements.isEmpty:
            let names = elements.compactMap { element in element["name"]?.string }
            let isNamed = names.count == elements.count && Set(names).count == names.count
            for (index, element) in elements.enumerated() {
                add(element, at: "\(path)/\(isNamed ? Self.escaped(names[index]) : String(index))")
            }
        default: leaves[path] = value
        }
    }

    /// As in a JSON pointer (RFC 6901).
    private static func escaped(_ name: String) -> String {
        name.replacing("~", with: "~0").replacing("/", with: "~1")
    }
}
