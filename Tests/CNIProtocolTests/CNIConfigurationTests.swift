import CNIProtocol
import Testing

@Suite struct CNIConfigurationTests {
    static func read(_ text: String) throws(CNIError) -> CNIConfiguration {
        try CNIConfiguration(Array(text.utf8))
    }

    /// A configuration of 1.0.0 with these members besides version and name.
    static func read(members: String) throws(CNIError) -> CNIConfiguration {
        try read(#"{"cniVersion":"1.0.0","name":"pods",\#(members)}"#)
    }

    @Test func `every key is read`() throws {
        let configuration = try Self.read(
            members: #"""
                "type": "istio-cni", "ipam": {}, "dns": {}, "plugin_log_level": "debug",
                "cni_agent_run_dir": "/var/run/istio-cni", "ambient_enabled": true,
                "enablement_selectors": [{"podSelector": {}}], "exclude_namespaces": ["kube-system", "a"],
                "pod_namespace": "istio-system", "native_nftables": true, "enable_ambient_detection_retry": true,
                "agent_wait_seconds": 30, "node_name": "node-1",
                "capabilities": {"io.kubernetes.cri.pod-annotations": true, "dns": false},
                "cni.dev/valid-attachments": [{"containerID": "c1", "ifname": "eth0"}], "mine": [1.0]
                """#
        )

        #expect(configuration.version == .v100)
        #expect(configuration.name == "pods")
        #expect(configuration.logLevel == "debug")
        #expect(configuration.runDirectory == "/var/run/istio-cni")
        #expect(configuration.isAmbientEnabled)
        #expect(configuration.enablementSelectors == [.object([.init("podSelector", .object([]))])])
        #expect(configuration.excludedNamespaces == ["kube-system", "a"])
        #expect(configuration.podNamespace == "istio-system")
        #expect(configuration.wantsNFTables)
        #expect(configuration.retriesAmbientDetection)
        #expect(configuration.agentWaitSeconds == 30)
        #expect(configuration.nodeName == "node-1")
        #expect(
            configuration.capabilities == ["io.kubernetes.cri.pod-annotations": true, "dns": false]
        )
        #expect(configuration.validAttachments?.map(\.containerID) == ["c1"])
        #expect(configuration.validAttachments?.map(\.interfaceName) == ["eth0"])
        #expect(configuration.document.value["mine"] == .array([.number("1.0")]))
    }

    @Test(arguments: [
        #"{"name":"n"}"#,
        #"""
        {"name":"n","cniVersion":null,"exclude_namespaces":null,"prevResult":null,"agent_wait_seconds":null,
        "capabilities":null,"runtimeConfig":null,"ambient_enabled":null,"plugin_log_level":null}
        """#,
    ])
    func `what is absent or null has its default`(text: String) throws {
        let configuration = try Self.read(text)

        #expect(configuration.version == .v010)
        #expect(configuration.logLevel == "")
        #expect(configuration.excludedNamespaces == [])
        #expect(configuration.agentWaitSeconds == nil)
        #expect(configuration.podAnnotations == nil)
        #expect(configuration.previousResult == nil)
        #expect(configuration.validAttachments == nil)
        #expect(!configuration.isAmbientEnabled && !configuration.wantsNFTables)
    }

    @Test func `names of keys are taken in any case, the exact one first`() throws {
        let configuration = try Self.read(
            #"{"CNIVERSION":"0.4.0","Name":"a","name":"b","NODE_NAME":"n"}"#
        )

        #expect(configuration.version == .v040)
        #expect(configuration.name == "b")
        #expect(configuration.nodeName == "n")
    }

    @Test(arguments: [
        ("cniVersion", "1", "a string"), ("name", "[]", "a string"), ("type", "{}", "a string"),
        ("plugin_log_level", "true", "a string"), ("cni_agent_run_dir", "1", "a string"),
        ("ambient_enabled", "\"true\"", "a boolean"), ("enablement_selectors", "{}", "an array"),
        ("exclude_namespaces", "\"a\"", "an array"), ("pod_namespace", "1", "a string"),
        ("native_nftables", "1", "a boolean"), ("enable_ambient_detection_retry", "0", "a boolean"),
        ("agent_wait_seconds", "\"20\"", "a number"), ("node_name", "false", "a string"),
        ("capabilities", "[]", "an object"), ("runtimeConfig", "1", "an object"),
        ("ipam", "\"\"", "an object"),
        ("dns", "[]", "an object"), ("cni.dev/valid-attachments", "{}", "an array"),
    ])
    func `a wrong type is refused by the name of the key`(
        key: String,
        value: String,
        expected: String
    ) {
        let error = #expect(throws: CNIError.self) {
            let others = key == "name" ? "" : #""name":"n","#
            return try Self.read("{\(others)\"\(key)\":\(value)}")
        }

        #expect(error?.code == .undecodableContent)
        #expect(error?.message.hasPrefix("\(key) of the configuration is ") == true)
        #expect(error?.message.hasSuffix(", expected \(expected)") == true)
    }

    @Test(arguments: [
        (#""exclude_namespaces":["a",1]"#, "exclude_namespaces[1]"),
        (#""enablement_selectors":[null]"#, "enablement_selectors[0]"),
        (#""capabilities":{"a":1}"#, "capabilities[\"a\"]"),
        (
            #""runtimeConfig":{"io.kubernetes.cri.pod-annotations":[]}"#,
            "runtimeConfig[\"io.kubernetes.cri.pod-annotations\"]"
        ),
        (
            #""runtimeConfig":{"io.kubernetes.cri.pod-annotations":{"a":1}}"#,
            "runtimeConfig[\"io.kubernetes.cri.pod-annotations\"][\"a\"]"
        ),
        (#""cni.dev/valid-attachments":[{"containerID":"a"}]"#, "cni.dev/valid-attachments[0].ifname"),
        (#""cni.dev/valid-attachments":[{"ifname":"a"}]"#, "cni.dev/valid-attachments[0].containerID"),
    ])
    func `a wrong type inside is refused by its path`(members: String, path: String) {
        let error = #expect(throws: CNIError.self) { try Self.read(members: members) }

        #expect(error?.code == .undecodableContent)
        #expect(error?.message.hasPrefix("\(path) of the configuration is ") == true)
        #expect(error?.version == .v100)
    }

    @Test(arguments: ["", "{", "[]", "null", "{\"name\":\"n\"} x", "\u{FEFF}{}"])
    func `what is not a JSON object is refused`(text: String) {
        let error = #expect(throws: CNIError.self) { try Self.read(text) }

        #expect(error?.code == .undecodableContent)
        #expect(error?.message.hasPrefix("the configuration on standard input is ") == true)
    }

    @Test(arguments: [
        "{}", #"{"name":""}"#, #"{"name":null}"#, #"{"name":"-a"}"#, #"{"name":"a b"}"#,
        #"{"name":"é"}"#,
    ])
    func `a network needs a good name`(text: String) {
        let error = #expect(throws: CNIError.self) { try Self.read(text) }

        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.hasPrefix("name of the configuration ") == true)
    }

    @Test(arguments: ["2.0.0", "1.0", "v1.0.0", "0.0.1", " 1.0.0"])
    func `an unknown version is refused with those that are known`(version: String) {
        #expect(
            throws: CNIError(
                .incompatibleVersion,
                "cniVersion \"\(version)\" of the configuration is not supported",
                details: "supported versions: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"
            )
        ) {
            try Self.read(#"{"name":"n","cniVersion":"\#(version)"}"#)
        }
    }

    @Test(arguments: ["-1", "601", "2.5", "1e1", "99999999999999999999"])
    func `a wait that makes no sense is refused`(value: String) {
        let error = #expect(throws: CNIError.self) {
            try Self.read(members: "\"agent_wait_seconds\":\(value)")
        }

        #expect(error?.code == .invalidConfiguration)
        #expect(
            error?.message
                == "agent_wait_seconds of the configuration must be a whole number from 0 to 600"
        )
        #expect(error?.details == "\"\(value)\"")
    }

    @Test(arguments: [("0", 0), ("600", 600)])
    func `the shortest and the longest wait are taken`(value: String, seconds: Int) throws {
        #expect(try Self.read(members: "\"agent_wait_seconds\":\(value)").agentWaitSeconds == seconds)
    }

    @Test(
        arguments: [
            (#""runtimeConfig":{"#, nil),
            (#""runtimeConfig":{"IO.kubernetes.cri.pod-annotations":{"a":"b"}"#, nil),
            (#""runtimeConfig":{"io.kubernetes.cri.pod-annotations":null"#, [:]),
            (#""runtimeConfig":{"io.kubernetes.cri.pod-annotations":{}"#, [:]),
            (
                #""runtimeConfig":{"io.kubernetes.cri.pod-annotations":{"a/b":"c","a/d":""}"#,
                ["a/b": "c", "a/d": ""]
            ),
        ] as [(String, [String: String]?)]
    )
    func `annotations that are not handed over are not an empty set`(
        text: String,
        annotations: [String: String]?
    ) throws {
        #expect(try Self.read(members: text + "}").podAnnotations == annotations)
    }

    @Test(arguments: ["1", "\"x\"", "[ ]", "{\"ips\": 3 }", "{\"cniVersion\":\"9.9.9\"}"])
    func `a bad prevResult is no matter until ADD looks into it`(text: String) throws {
        let configuration = try Self.read(members: "\"prevResult\": \(text) ")

        #expect(configuration.previousResult.map { String(decoding: $0.bytes, as: UTF8.self) } == text)
    }
}
