/// One call of the plugin by a container runtime.
package enum CNIRequest: Equatable, Sendable {
    /// `arguments` is `CNI_ARGS` as written: see `CNIArguments`.
    case add(CNIAttachment, in: NamespaceReference, arguments: String)
    case check(CNIAttachment, in: NamespaceReference, arguments: String)

    /// The namespace may be gone by now, and the call must succeed all the same.
    case delete(CNIAttachment, in: NamespaceReference?)

    case collectGarbage
    case status
    case version

    /// A person called the program, not a runtime: `CNI_COMMAND` is not set.
    case about
}

/// A container's connection to a network, which the runtime names by these two together.
package struct CNIAttachment: Hashable, Sendable {
    package let containerID: String
    package let interfaceName: String

    /// Makes an attachment, unless one of the names is not allowed (code 4).
    package init(containerID: String, interfaceName: String) throws(CNIError) {
        guard Self.isContainerID(containerID) else {
            throw CNIError(
                .invalidEnvironment,
                "CNI_CONTAINERID must be letters, digits, '_', '.' and '-', and start with a letter or digit",
                details: CNIError.quoting(containerID)
            )
        }
        guard Self.isInterfaceName(interfaceName) else {
            throw CNIError(
                .invalidEnvironment,
                "CNI_IFNAME must be 1 to 15 bytes without '/', ':' and blanks, and not '.' or '..'",
                details: CNIError.quoting(interfaceName)
            )
        }
        self.containerID = containerID
        self.interfaceName = interfaceName
    }

    /// `IFNAMSIZ` in `<linux/if.h>`, less the NUL, in bytes.
    private static let longestInterfaceName = 15

    private static func isInterfaceName(_ name: String) -> Bool {
        guard (1...longestInterfaceName).contains(name.utf8.count) else { return false }
        guard !name.hasSameBytes(as: "."), !name.hasSameBytes(as: "..") else { return false }
        for scalar in name.unicodeScalars where scalar == "/" || scalar == ":" || scalar.properties.isWhitespace {
            return false
        }
        return true
    }

    private static func isContainerID(_ text: String) -> Bool {
        for (index, byte) in text.utf8.enumerated() {
            let isAllowed =
                switch byte {
                case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): index > 0
                default: byte.isDigit || byte.isASCIILetter
                }
            guard isAllowed else { return false }
        }
        return !text.isEmpty
    }
}

/// A network namespace as the runtime names it; whether it is one, only its descriptor can tell.
package struct NamespaceReference: Hashable, Sendable {
    package let path: String

    /// Whether it may be the plugin's own (`CNI_NETNS_OVERRIDE`); else that is code 8.
    package let mayBeOwn: Bool

    package init(path: String, mayBeOwn: Bool = false) {
        self.path = path
        self.mayBeOwn = mayBeOwn
    }
}

extension CNIRequest {
    /// Decodes a call from the variables that the runtime set; all errors are code 4.
    ///
    /// VERSION, STATUS and GC look at nothing else, and DEL not at `CNI_PATH`, which nothing here uses: they must
    /// succeed. ADD and CHECK want it because the reference library does.
    package init(environment: [String: String]) throws(CNIError) {
        switch environment["CNI_COMMAND"] ?? "" {
        case "": self = .about
        case "VERSION": self = .version
        case "STATUS": self = .status
        case "GC": self = .collectGarbage
        case "DEL":
            try Self.require(["CNI_CONTAINERID", "CNI_IFNAME"], for: "DEL", in: environment)
            self = .delete(try Self.attachment(environment), in: Self.namespace(environment))
        case "ADD":
            let (attachment, namespace) = try Self.target(of: "ADD", environment)
            self = .add(attachment, in: namespace, arguments: environment["CNI_ARGS"] ?? "")
        case "CHECK":
            let (attachment, namespace) = try Self.target(of: "CHECK", environment)
            self = .check(attachment, in: namespace, arguments: environment["CNI_ARGS"] ?? "")
        case let other:
            throw CNIError(
                .invalidEnvironment,
                "CNI_COMMAND is none of ADD, CHECK, DEL, GC, STATUS and VERSION",
                details: CNIError.quoting(other)
            )
        }
    }

    /// Refuses a command that the configuration's version of the specification does not have yet (code 1).
    package func requireCommand(of version: CNIVersion) throws(CNIError) {
        let (name, first): (String, CNIVersion) =
            switch self {
            case .check: ("CHECK", .v040)
            case .collectGarbage: ("GC", .v110)
            case .status: ("STATUS", .v110)
            case .add, .delete, .version, .about: ("", .oldest)
            }
        guard version < first else { return }
        throw CNIError(
            .incompatibleVersion,
            "cniVersion \(version.rawValue) of the configuration has no \(name)",
            details: "\(name) needs \(first.rawValue) or later",
            version: version
        )
    }

    private static func target(
        of command: String,
        _ environment: [String: String]
    ) throws(CNIError) -> (CNIAttachment, NamespaceReference) {
        try require(["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"], for: command, in: environment)
        let attachment = try attachment(environment)
        guard let namespace = namespace(environment) else {
            throw CNIError(.invalidEnvironment, "\(command) needs CNI_NETNS")
        }
        return (attachment, namespace)
    }

    /// Names all the variables that are missing at once, so that nobody finds them one by one.
    private static func require(
        _ names: [String],
        for command: String,
        in environment: [String: String]
    ) throws(CNIError) {
        var missing = ""
        for name in names where (environment[name] ?? "").isEmpty {
            missing += (missing.isEmpty ? "" : ", ") + name
        }
        guard missing.isEmpty else {
            throw CNIError(.invalidEnvironment, "variables that \(command) needs are not set: \(missing)")
        }
    }

    private static func attachment(_ environment: [String: String]) throws(CNIError) -> CNIAttachment {
        try CNIAttachment(
            containerID: environment["CNI_CONTAINERID"] ?? "",
            interfaceName: environment["CNI_IFNAME"] ?? ""
        )
    }

    private static func namespace(_ environment: [String: String]) -> NamespaceReference? {
        guard let path = environment["CNI_NETNS"], !path.isEmpty else { return nil }
        let override = environment["CNI_NETNS_OVERRIDE"] ?? ""
        return NamespaceReference(path: path, mayBeOwn: override == "1" || override.hasSameLetters(as: "TRUE"))
    }
}
