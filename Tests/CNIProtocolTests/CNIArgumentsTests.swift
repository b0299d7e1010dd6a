import CNIProtocol
import Testing

@Suite struct CNIArgumentsTests {
    @Test func `what containerd sends is read`() throws {
        let arguments = try CNIArguments(
            "K8S_POD_INFRA_CONTAINER_ID=87438b;K8S_POD_UID=2241435d-80e1;IgnoreUnknown=1;K8S_POD_NAMESPACE=default;"
                + "K8S_POD_NAME=t2"
        )

        #expect(arguments.podName == "t2")
        #expect(arguments.podNamespace == "default")
        #expect(arguments.podUID == "2241435d-80e1")
        #expect(arguments.sandboxID == "87438b")
    }

    @Test func `podman sends a name only`() throws {
        let arguments = try CNIArguments("IgnoreUnknown=1;K8S_POD_NAME=web")

        #expect(arguments.podName == "web")
        #expect(arguments.podNamespace == "")
    }

    @Test func `nothing is nothing`() throws {
        #expect(try CNIArguments("") == CNIArguments())
    }

    @Test(arguments: ["1", "true", "TRUE", "True"])
    func `unknown names are passed over on request, wherever it stands`(value: String) throws {
        #expect(
            try CNIArguments("X=1;K8S_POD_NAME=a;IgnoreUnknown=\(value);k8s_pod_name=b").podName == "a"
        )
    }

    @Test func `of the same name twice the last counts`() throws {
        #expect(try CNIArguments("K8S_POD_NAME=a;K8S_POD_NAME=").podName == "")
    }

    @Test(arguments: [
        ("K8S_POD_NAME", "K8S_POD_NAME"), ("K8S_POD_NAME=a;", ""), (";K8S_POD_NAME=a", ""),
        ("K8S_POD_NAME=a=b", "K8S_POD_NAME=a=b"), ("K8S_POD_NAME=a;X=1;Y=2", "X=1"), ("=", "="),
        ("X=1;IgnoreUnknown=0", "X=1"), ("IgnoreUnknown=yes", "IgnoreUnknown=yes"),
        ("IgnoreUnknown=", "IgnoreUnknown="),
        (" K8S_POD_NAME=a", " K8S_POD_NAME=a"), ("ignoreunknown=1", "ignoreunknown=1"),
        ("a\r\n;b=c", "a\u{FFFD}\u{FFFD}"),
    ])
    func `a refusal names the pair`(text: String, pair: String) {
        let error = #expect(throws: CNIError.self) { try CNIArguments(text) }

        #expect(error?.code == .invalidEnvironment)
        #expect(error?.message.hasPrefix("CNI_ARGS: the pair \"\(pair)\" ") == true)
    }

    @Test func `a long pair is cut in the message`() {
        let error = #expect(throws: CNIError.self) {
            try CNIArguments(String(repeating: "x", count: 100_000))
        }

        #expect(
            error?.message
                == "CNI_ARGS: the pair \"\(String(repeating: "x", count: 100))...\" is not NAME=VALUE"
        )
    }
}
