/// What ADD prints on success: the result of the plugin before it in the chain, since this one adds no interface.
package struct CNIResult: Equatable, Sendable {
    /// For standard output, with no newline added.
    ///
    /// `prevResult` byte for byte, unless its version is not the configuration's: the specification wants the same
    /// one, so that member is written anew, or put in where it is missing. Nothing else is touched.
    package let bytes: [UInt8]

    /// The addresses of the pod in CIDR notation (`10.0.0.2/24`), in the order of the result.
    ///
    /// Those of interfaces inside the sandbox, and those that name no interface of the result. Where no interface at
    /// all says that it is in a sandbox, the result does not tell, and all addresses count. Not checked further.
    package let podAddresses: [String]

    /// Whether there was a `prevResult`; without one nothing is known about addresses.
    package let hasPreviousResult: Bool

    /// Reads `prevResult` of a configuration.
    ///
    /// Code 1: it belongs to another family of versions than the configuration, which one plugin of a chain cannot
    /// put right. Code 6: a field of the wrong type, or a version missing where the specification wants one (0.3.0
    /// and later). The message names the field.
    package init(of configuration: CNIConfiguration) throws(CNIError) {
        let version = configuration.version
        guard let previous = configuration.previousResult else {
            let empty = JSONValue.object([JSONMember("cniVersion", .string(version.rawValue))])
            bytes = empty.bytes(.indented)
            podAddresses = []
            hasPreviousResult = false
            return
        }
        let fields = PreviousResultFields(version: version)
        let members = try fields.members(previous.value, "prevResult")
        bytes =
            try fields.checkVersion(members)
            ? previous.bytes : Self.replaceVersion(in: previous, members, with: version)
        podAddresses =
            version.family == .single ? try fields.singleAddresses(members) : try fields.listedAddresses(members)
        hasPreviousResult = true
    }

    /// The bytes of a result with another version, and nothing else changed.
    private static func replaceVersion(
        in previous: CNIConfiguration.PreviousResult,
        _ members: [JSONMember],
        with version: CNIVersion
    ) throws(CNIError) -> [UInt8] {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(previous.bytes)
        } catch {
            throw CNIError(.undecodableContent, "prevResult is not JSON", details: error.description, version: version)
        }
        var bytes = previous.bytes
        let value = Array("\"\(version.rawValue)\"".utf8)
        if let index = members.index(ofAnyCase: "cniVersion") {
            bytes.replaceSubrange(document.memberRanges[index], with: value)
        } else {
            let name = Array("\"cniVersion\":".utf8)
            bytes.insert(contentsOf: name + value + (members.isEmpty ? [] : [UInt8(ascii: ",")]), at: 1)
        }
        return bytes
    }
}

/// Reads the few fields of `prevResult` that matter here, with errors that name them.
private struct PreviousResultFields {
    /// The configuration's.
    let version: CNIVersion

    private func wrongType(_ path: String, _ value: JSONValue?, expected: String) -> CNIError {
        let found = if let value { "is \(value.kind)" } else { "is missing" }
        return CNIError(.undecodableContent, "\(path) \(found), expected \(expected)", version: version)
    }

    func members(_ value: JSONValue, _ path: String) throws(CNIError) -> [JSONMember] {
        guard case .object(let members) = value else { throw wrongType(path, value, expected: "an object") }
        return members
    }

    /// The value of a member; nil where it is absent or null.
    private func value(_ members: [JSONMember], _ name: String) -> JSONValue? {
        guard let index = members.index(ofAnyCase: name), !members[index].value.isNull else { return nil }
        return members[index].value
    }

    private func string(_ members: [JSONMember], _ name: String, of path: String) throws(CNIError) -> String {
        let value = value(members, name)
        guard case .string(let string) = value else {
            throw wrongType("\(path).\(name)", value, expected: "a string")
        }
        return string
    }

    private func array(_ members: [JSONMember], _ name: String) throws(CNIError) -> [JSONValue] {
        guard let value = value(members, name) else { return [] }
        guard case .array(let elements) = value else {
            throw wrongType("prevResult.\(name)", value, expected: "an array")
        }
        return elements
    }

    /// Whether the result has the configuration's own version; an error if it is of another family.
    func checkVersion(_ members: [JSONMember]) throws(CNIError) -> Bool {
        let isMissing = value(members, "cniVersion") == nil
        let text = isMissing && version.family == .single ? "" : try string(members, "cniVersion", of: "prevResult")
        if text.isEmpty, version.family == .single { return false }
        guard CNIVersion(rawValue: text)?.family == version.family else {
            throw CNIError(
                .incompatibleVersion,
                "prevResult.cniVersion \(CNIError.quoting(text)) does not go with \(version.rawValue) of the configuration",
                details: "a plugin earlier in the chain prints results of another version than it is asked for",
                version: version
            )
        }
        return text == version.rawValue
    }

    /// The addresses of a result of 0.1.0 or 0.2.0: at most one of each family.
    func singleAddresses(_ result: [JSONMember]) throws(CNIError) -> [String] {
        var addresses: [String] = []
        for name in ["ip4", "ip6"] {
            guard let value = value(result, name) else { continue }
            let path = "prevResult.\(name)"
            addresses.append(try string(try members(value, path), "ip", of: path))
        }
        return addresses
    }

    /// The addresses of a result of 0.3.0 or later.
    func listedAddresses(_ result: [JSONMember]) throws(CNIError) -> [String] {
        let isInSandbox = try interfaces(result)
        let tells = isInSandbox.contains(true)
        var addresses: [String] = []
        for (index, element) in try array(result, "ips").enumerated() {
            let path = "prevResult.ips[\(index)]"
            let members = try members(element, path)
            let address = try string(members, "address", of: path)
            if let value = value(members, "interface") {
                guard let interface = value.integer else {
                    throw wrongType("\(path).interface", value, expected: "a whole number")
                }
                // An index that leads nowhere says nothing; the reference library does not look at it either.
                if tells, isInSandbox.indices.contains(interface), !isInSandbox[interface] { continue }
            }
            addresses.append(address)
        }
        return addresses
    }

    /// For each interface whether it is inside the sandbox.
    private func interfaces(_ result: [JSONMember]) throws(CNIError) -> [Bool] {
        var isInSandbox: [Bool] = []
        for (index, element) in try array(result, "interfaces").enumerated() {
            let path = "prevResult.interfaces[\(index)]"
            let members = try members(element, path)
            let hasSandbox = value(members, "sandbox") != nil
            isInSandbox.append(hasSandbox ? !(try string(members, "sandbox", of: path)).isEmpty : false)
        }
        return isInSandbox
    }
}
