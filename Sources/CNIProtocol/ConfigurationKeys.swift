/// The top-level keys of a configuration, read by name and type with an error that names the key.
struct ConfigurationKeys {
    let members: [JSONMember]

    /// Goes into every error from here on.
    var version: CNIVersion?

    init(_ members: [JSONMember]) { self.members = members }

    /// Where a key is; nil where it is absent or null.
    func index(_ key: String) -> Int? {
        guard let index = members.index(ofAnyCase: key), !members[index].value.isNull else { return nil }
        return index
    }

    private func value(_ key: String) -> JSONValue? { index(key).map { index in members[index].value } }

    private func wrongType(_ key: String, _ value: JSONValue, expected: String) -> CNIError {
        CNIError(
            .undecodableContent,
            "\(key) of the configuration is \(value.kind), expected \(expected)",
            version: version
        )
    }

    private func notAllowed(_ key: String, _ rule: String, _ text: String = "") -> CNIError {
        CNIError(
            .invalidConfiguration,
            "\(key) of the configuration \(rule)",
            details: text.isEmpty ? "" : CNIError.quoting(text),
            version: version
        )
    }

    func string(_ key: String) throws(CNIError) -> String {
        guard let value = value(key) else { return "" }
        guard case .string(let string) = value else { throw wrongType(key, value, expected: "a string") }
        return string
    }

    func bool(_ key: String) throws(CNIError) -> Bool {
        guard let value = value(key) else { return false }
        guard case .bool(let bool) = value else { throw wrongType(key, value, expected: "a boolean") }
        return bool
    }

    func object(_ key: String) throws(CNIError) -> [JSONMember] {
        guard let value = value(key) else { return [] }
        guard case .object(let members) = value else { throw wrongType(key, value, expected: "an object") }
        return members
    }

    private func array(_ key: String) throws(CNIError) -> [JSONValue] {
        guard let value = value(key) else { return [] }
        guard case .array(let elements) = value else { throw wrongType(key, value, expected: "an array") }
        return elements
    }

    func strings(_ key: String) throws(CNIError) -> [String] {
        var strings: [String] = []
        for (index, element) in try array(key).enumerated() {
            guard case .string(let string) = element else {
                throw wrongType("\(key)[\(index)]", element, expected: "a string")
            }
            strings.append(string)
        }
        return strings
    }

    func objects(_ key: String) throws(CNIError) -> [JSONValue] {
        let elements = try array(key)
        for (index, element) in elements.enumerated() {
            guard case .object = element else { throw wrongType("\(key)[\(index)]", element, expected: "an object") }
        }
        return elements
    }

    /// The network's name: required, and in the characters that the specification allows.
    func networkName() throws(CNIError) -> String {
        let name = try string("name")
        guard !name.isEmpty else { throw notAllowed("name", "is missing") }
        for (index, byte) in name.utf8.enumerated() where !byte.isDigit && !byte.isASCIILetter {
            switch byte {
            case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
                if index > 0 { continue }
            default: break
            }
            throw notAllowed(
                "name",
                "must be letters, digits, '_', '.' and '-', and start with a letter or digit",
                name
            )
        }
        return name
    }

    func agentWaitSeconds() throws(CNIError) -> Int? {
        let key = "agent_wait_seconds"
        guard let value = value(key) else { return nil }
        guard case .number(let text) = value else { throw wrongType(key, value, expected: "a number") }
        guard let seconds = value.integer, (0...CNIConfiguration.longestAgentWaitSeconds).contains(seconds) else {
            throw notAllowed(key, "must be a whole number from 0 to \(CNIConfiguration.longestAgentWaitSeconds)", text)
        }
        return seconds
    }

    func capabilities() throws(CNIError) -> [String: Bool] {
        var capabilities: [String: Bool] = [:]
        for member in try object("capabilities") {
            guard case .bool(let bool) = member.value else {
                throw wrongType("capabilities[\(CNIError.quoting(member.name))]", member.value, expected: "a boolean")
            }
            capabilities[member.name] = bool
        }
        return capabilities
    }

    func podAnnotations() throws(CNIError) -> [String: String]? {
        let key = CNIConfiguration.podAnnotationsCapability
        let runtime = try object("runtimeConfig")
        guard let index = runtime.index(of: key) else { return nil }
        if runtime[index].value.isNull { return [:] }
        guard case .object(let members) = runtime[index].value else {
            throw wrongType("runtimeConfig[\"\(key)\"]", runtime[index].value, expected: "an object")
        }
        var annotations: [String: String] = [:]
        annotations.reserveCapacity(members.count)
        for member in members {
            guard case .string(let text) = member.value else {
                let path = "runtimeConfig[\"\(key)\"][\(CNIError.quoting(member.name))]"
                throw wrongType(path, member.value, expected: "a string")
            }
            annotations[member.name] = text
        }
        return annotations
    }

    func validAttachments() throws(CNIError) -> [CNIConfiguration.ValidAttachment]? {
        let key = "cni.dev/valid-attachments"
        guard index(key) != nil else { return nil }
        var attachments: [CNIConfiguration.ValidAttachment] = []
        for (index, element) in try objects(key).enumerated() {
            let text: (String) throws(CNIError) -> String = { name throws(CNIError) in
                let value = element[name] ?? .null
                guard case .string(let string) = value else {
                    throw wrongType("\(key)[\(index)].\(name)", value, expected: "a string")
                }
                return string
            }
            attachments.append(.init(containerID: try text("containerID"), interfaceName: try text("ifname")))
        }
        return attachments
    }
}
