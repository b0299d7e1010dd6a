import CNIProtocol
import Testing

@Suite struct CNIRequestTests {
    static let environment = [
        "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "c1", "CNI_IFNAME": "eth0",
        "CNI_NETNS": "/run/netns/n1",
        "CNI_PATH": "/opt/cni/bin", "CNI_ARGS": "K8S_POD_NAME=a",
    ]

    static func environment(_ command: String, _ changes: [String: String?] = [:]) -> [String: String] {
        var environment = environment
        environment["CNI_COMMAND"] = command
        for (name, value) in changes { environment[name] = value }
        return environment
    }

    static func attachment() throws -> CNIAttachment {
        try CNIAttachment(containerID: "c1", interfaceName: "eth0")
    }

    @Test func `every command is decoded`() throws {
        let namespace = NamespaceReference(path: "/run/netns/n1")
        let expected: [(String, CNIRequest)] = [
            ("ADD", .add(try Self.attachment(), in: namespace, arguments: "K8S_POD_NAME=a")),
            ("CHECK", .check(try Self.attachment(), in: namespace, arguments: "K8S_POD_NAME=a")),
            ("DEL", .delete(try Self.attachment(), in: namespace)),
            ("GC", .collectGarbage), ("STATUS", .status), ("VERSION", .version), ("", .about),
        ]

        for (command, request) in expected {
            #expect(try CNIRequest(environment: Self.environment(command)) == request)
        }
    }

    @Test func `without a command a person called`() throws {
        #expect(try CNIRequest(environment: [:]) == .about)
    }

    @Test(
        arguments: ["ADD", "CHECK"],
        ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_NETNS", "CNI_PATH"]
    )
    func `ADD and CHECK need every variable`(command: String, name: String) {
        for value in [nil, ""] as [String?] {
            #expect(
                throws: CNIError(
                    .invalidEnvironment,
                    "variables that \(command) needs are not set: \(name)"
                )
            ) {
                try CNIRequest(environment: Self.environment(command, [name: value]))
            }
        }
    }

    @Test func `all missing variables are named in one error`() {
        let missing = "CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_PATH"

        #expect(
            throws: CNIError(.invalidEnvironment, "variables that ADD needs are not set: \(missing)")
        ) {
            try CNIRequest(environment: ["CNI_COMMAND": "ADD"])
        }
    }

    @Test func `DEL needs the container and its interface only`() throws {
        let environment = ["CNI_COMMAND": "DEL", "CNI_CONTAINERID": "c1", "CNI_IFNAME": "eth0"]

        #expect(try CNIRequest(environment: environment) == .delete(try Self.attachment(), in: nil))
        #expect(
            throws: CNIError(.invalidEnvironment, "variables that DEL needs are not set: CNI_IFNAME")
        ) {
            try CNIRequest(environment: ["CNI_COMMAND": "DEL", "CNI_CONTAINERID": "c1"])
        }
    }

    @Test(arguments: [("GC", CNIRequest.collectGarbage), ("STATUS", .status), ("VERSION", .version)])
    func `GC, STATUS and VERSION look at nothing else`(command: String, request: CNIRequest) throws {
        let environment = ["CNI_COMMAND": command, "CNI_CONTAINERID": "/", "CNI_IFNAME": ".."]

        #expect(try CNIRequest(environment: environment) == request)
    }

    @Test(arguments: ["add", "UPDATE", " ADD"])
    func `another command is refused by name`(command: String) {
        let error = #expect(throws: CNIError.self) {
            try CNIRequest(environment: Self.environment(command))
        }

        #expect(error?.code == .invalidEnvironment)
        #expect(error?.message.hasPrefix("CNI_COMMAND") == true)
        #expect(error?.details == "\"\(command)\"")
    }

    @Test(arguments: ["-a", ".a", "_a", "a/b", "a b", "a\n", "é", "a:b", "\u{212A}"])
    func `a container ID outside the specification is refused`(containerID: String) {
        let error = #expect(throws: CNIError.self) {
            try CNIRequest(environment: Self.environment("ADD", ["CNI_CONTAINERID": containerID]))
        }

        #expect(error?.code == .invalidEnvironment)
        #expect(error?.message.hasPrefix("CNI_CONTAINERID") == true)
    }

    @Test(arguments: [
        ".", "..", "a/b", "a:b", "a b", "a\tb", "a\u{A0}b", "sixteen-letters1", "fünfzehnzeichen",
    ])
    func `an interface name that the kernel refuses is refused first`(name: String) {
        let error = #expect(throws: CNIError.self) {
            try CNIRequest(environment: Self.environment("ADD", ["CNI_IFNAME": name]))
        }

        #expect(error?.code == .invalidEnvironment)
        #expect(error?.message.hasPrefix("CNI_IFNAME") == true)
    }

    @Test(arguments: ["a", "...", "fifteen-letters", "net1@eth0", "é"])
    func `an interface name that the kernel takes is taken`(name: String) throws {
        #expect(try CNIAttachment(containerID: "0_.-Z", interfaceName: name).interfaceName == name)
    }

    @Test(arguments: [
        ("1", true), ("TRUE", true), ("true", true), ("True", true), ("0", false), ("yes", false),
    ])
    func `the plugin's own namespace is allowed on request`(value: String, isAllowed: Bool) throws {
        let request = try CNIRequest(
            environment: Self.environment("ADD", ["CNI_NETNS_OVERRIDE": value])
        )

        guard case .add(_, let namespace, _) = request else {
            Issue.record("not an ADD")
            return
        }
        #expect(namespace.mayBeOwn == isAllowed)
    }

    @Test(arguments: [
        ("CHECK", CNIVersion.v040), ("GC", .v110), ("STATUS", .v110), ("ADD", .v010), ("DEL", .v010),
    ])
    func `a command is refused where the version does not have it`(
        command: String,
        first: CNIVersion
    )
        throws
    {
        let request = try CNIRequest(environment: Self.environment(command))

        for version in CNIVersion.allCases {
            let error: CNIError?
            do throws(CNIError) {
                try request.requireCommand(of: version)
                error = nil
            } catch let refusal {
                error = refusal
            }
            #expect((error == nil) == (version >= first))
            #expect(error == nil || error?.code == .incompatibleVersion)
            #expect(error?.message.hasSuffix(" has no \(command)") != false)
        }
    }
}
