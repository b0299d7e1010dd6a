import CNIProtocol
import Testing

@Suite struct CNIResultTests {
    /// A result of each family, with white space, numbers and keys that a program would write otherwise.
    static func result(_ version: CNIVersion) -> String {
        switch version.family {
        case .single:
            #"""
            { "ip4":{"ip":"10.0.0.2/24","gateway":"10.0.0.1","routes":[{"dst":"0.0.0.0/0"}]},
              "ip6" : {"ip":"fd00::2/64"}, "z": 1.50, "cniVersion":"\#(version.rawValue)", "a": 1e3, "dns":{} }
            """#
        case .lists, .stable:
            #"""
            {"z":1.50,"interfaces":[{"name":"cni0","mac":"6e:4d:7e:61:69:59"},{"name":"eth0","mtu":1e3,
            "sandbox":"/run/netns/n1"}] , "cniVersion" : "\#(version.rawValue)", "ips":[
              {"address":"fd00::2/64","interface":1,"x":"\u0041"},{"address":"192.0.2.1/24","interface":0},
              {"address":"10.0.0.2/24"} ],"routes":[{"dst":"0.0.0.0/0","priority":0.0}],"dns":{}}
            """#
        }
    }

    static func read(_ version: String, _ previous: String?) throws(CNIError) -> CNIResult {
        let member = previous.map { text in ", \"prevResult\":\(text)" } ?? ""
        return try CNIResult(
            of: CNIConfigurationTests.read(#"{"cniVersion":"\#(version)","name":"n"\#(member)}"#)
        )
    }

    static func text(_ result: CNIResult) -> String { String(decoding: result.bytes, as: UTF8.self) }

    @Test(arguments: CNIVersion.allCases)
    func `a result of the same version comes back byte for byte`(version: CNIVersion) throws {
        let previous = Self.result(version)

        let result = try Self.read(version.rawValue, previous)

        #expect(Self.text(result) == previous)
        #expect(result.hasPreviousResult)
        #expect(
            result.podAddresses
                == (version.family == .single
                    ? ["10.0.0.2/24", "fd00::2/64"] : ["fd00::2/64", "10.0.0.2/24"])
        )
    }

    @Test(arguments: CNIVersion.allCases, CNIVersion.allCases)
    func
        `a result of another version has its version changed within the family, and is refused outside`(
            configured: CNIVersion,
            previous: CNIVersion
        ) throws
    {
        guard configured.family == previous.family else {
            let error = #expect(throws: CNIError.self) {
                try Self.read(configured.rawValue, Self.result(previous))
            }
            #expect(error?.code == .incompatibleVersion)
            #expect(error?.message.hasPrefix("prevResult.cniVersion \"\(previous.rawValue)\"") == true)
            #expect(error?.version == configured)
            return
        }

        let result = try Self.read(configured.rawValue, Self.result(previous))

        // The two texts differ in their version only.
        #expect(Self.text(result) == Self.result(configured))
    }

    @Test(arguments: [
        (#"{ "ip4":{"ip":"10.0.0.2/24"}}"#, #"{"cniVersion":"0.2.0", "ip4":{"ip":"10.0.0.2/24"}}"#),
        ("{ }", #"{"cniVersion":"0.2.0" }"#), ("{}", #"{"cniVersion":"0.2.0"}"#),
        (#"{"cniVersion":""}"#, #"{"cniVersion":"0.2.0"}"#),
        (#"{"cniVersion":null}"#, #"{"cniVersion":"0.2.0"}"#),
        (#"{"CNIVersion":"0.1.0"}"#, #"{"CNIVersion":"0.2.0"}"#),
    ])
    func `an old result without a version gets one`(previous: String, expected: String) throws {
        #expect(Self.text(try Self.read("0.2.0", previous)) == expected)
    }

    @Test(arguments: ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"])
    func `a newer result needs a version`(version: String) {
        let error = #expect(throws: CNIError.self) { try Self.read(version, "{\"ips\":[]}") }

        #expect(error?.code == .undecodableContent)
        #expect(error?.message == "prevResult.cniVersion is missing, expected a string")
    }

    @Test(arguments: CNIVersion.allCases)
    func `without a result the answer is the version only`(version: CNIVersion) throws {
        let result = try Self.read(version.rawValue, nil)

        #expect(Self.text(result) == "{\n    \"cniVersion\": \"\(version.rawValue)\"\n}")
        #expect(result.podAddresses == [])
        #expect(!result.hasPreviousResult)
    }

    @Test(arguments: [
        (
            #""ips":[{"address":"10.0.0.2/24","interface":7},{"address":"10.0.0.3/24","interface":-1}]"#,
            2
        ),
        (#""interfaces":[{"name":"eth0"}],"ips":[{"address":"10.0.0.2/24","interface":0}]"#, 1),
        (
            #""interfaces":[{"name":"eth0","sandbox":""}],"ips":[{"address":"10.0.0.2/24","interface":0}]"#,
            1
        ),
        (#""interfaces":[{"sandbox":"/a"},{}],"ips":[{"address":"a","interface":1}]"#, 0),
        (#""interfaces":[{"sandbox":"/a"},{}],"ips":[{"address":"a","interface":null}]"#, 1),
        (#""interfaces":null,"ips":null"#, 0), (#""IPs":[{"Address":"a"}]"#, 1),
    ])
    func `an address counts unless its interface is known to be outside`(
        members: String,
        count: Int
    )
        throws
    {
        let result = try Self.read("1.0.0", "{\"cniVersion\":\"1.0.0\",\(members)}")

        #expect(result.podAddresses.count == count)
    }

    @Test(arguments: [
        ("1.0.0", "[]", "prevResult is an array, expected an object"),
        ("1.0.0", "\"\"", "prevResult is a string, expected an object"),
        ("1.0.0", #"{"cniVersion":1}"#, "prevResult.cniVersion is a number, expected a string"),
        ("0.2.0", #"{"cniVersion":1}"#, "prevResult.cniVersion is a number, expected a string"),
        ("0.2.0", #"{"ip4":[]}"#, "prevResult.ip4 is an array, expected an object"),
        ("0.2.0", #"{"ip4":{}}"#, "prevResult.ip4.ip is missing, expected a string"),
        ("0.2.0", #"{"ip6":{"ip":1}}"#, "prevResult.ip6.ip is a number, expected a string"),
        (
            "1.0.0", #"{"cniVersion":"1.0.0","ips":{}}"#, "prevResult.ips is an object, expected an array"
        ),
        (
            "1.0.0", #"{"cniVersion":"1.0.0","ips":[null]}"#,
            "prevResult.ips[0] is null, expected an object"
        ),
        (
            "1.0.0", #"{"cniVersion":"1.0.0","ips":[{}]}"#,
            "prevResult.ips[0].address is missing, expected a string"
        ),
        (
            "1.0.0", #"{"cniVersion":"1.0.0","ips":[{"address":"a","interface":"0"}]}"#,
            "prevResult.ips[0].interface is a string, expected a whole number"
        ),
        (
            "1.0.0", #"{"cniVersion":"1.0.0","ips":[{"address":"a","interface":0.5}]}"#,
            "prevResult.ips[0].interface is a number, expected a whole number"
        ),
        (
            "1.0.0", #"{"cniVersion":"1.0.0","interfaces":1}"#,
            "prevResult.interfaces is a number, expected an array"
        ),
        (
            "1.0.0", #"{"cniVersion":"1.0.0","interfaces":[{"sandbox":[]}]}"#,
            "prevResult.interfaces[0].sandbox is an array, expected a string"
        ),
    ])
    func `a bad shape is refused by the name of the field`(
        version: String,
        previous: String,
        message: String
    ) {
        let error = #expect(throws: CNIError.self) { try Self.read(version, previous) }

        #expect(error?.code == .undecodableContent)
        #expect(error?.message == message)
        #expect(error?.version?.rawValue == version)
    }
}
