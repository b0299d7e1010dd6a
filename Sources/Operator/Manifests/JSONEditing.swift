package import CNIProtocol

extension JSONValue {
    /// The value at a path of member names, or nil where there is none.
    package subscript(path names: [String]) -> JSONValue? {
        var value = self
        for name in names {
            guard let next = value[name] else { return nil }
            value = next
        }
        return value
    }

    /// A copy with a member set, in its old place or at the end.
    ///
    /// What is no object becomes one.
    package func setting(_ name: String, _ value: JSONValue) -> JSONValue {
        var members = self.members ?? []
        if let index = members.index(of: name) {
            members[index].value = value
        } else {
            members.append(JSONMember(name, value))
        }
        return .object(members)
    }

    /// A copy with the value at a path of member names set; objects on the way are made.
    package func setting(path names: ArraySlice<String>, _ value: JSONValue) -> JSONValue {
        guard let first = names.first else { return value }
        return setting(first, (self[first] ?? .null).setting(path: names.dropFirst(), value))
    }

    /// A copy without a member.
    package func removing(_ name: String) -> JSONValue {
        guard let members else { return self }
        return .object(members.filter { $0.name != name })
    }

    /// Both together: objects merge member by member, all else of `above` replaces.
    package func merging(_ above: JSONValue) -> JSONValue {
        guard members != nil, let others = above.members else { return above }
        return others.reduce(self) { result, member in
            result.setting(member.name, result[member.name]?.merging(member.value) ?? member.value)
        }
    }

    /// An object with string values.
    package static func strings(_ pairs: [(String, String)]) -> JSONValue {
        .object(pairs.map { JSONMember($0.0, .string($0.1)) })
    }
}
