import CNIProtocol
import TestSupport
import Testing

/// Damaged input never traps and never hangs, and every refusal names something.
///
/// The time limit is for the million executions of `make fuzz`.
@Suite(.timeLimit(.minutes(20))) struct FuzzTests {
    @Test func `standard input is read or refused`() {
        let versions = CNIVersion.allCases.map { version in
            #"{"cniVersion":"\#(version.rawValue)","name":"n","prevResult":\#(CNIResultTests.result(version))}"#
        }
        var inputs = Mutations(
            of: (versions + [Self.configuration]).map { Array($0.utf8) },
            words: Self.words,
            seed: 1
        )
        var accepted = 0

        for _ in 0..<Fuzzing.executions {
            let bytes = inputs.next()
            accepted += Self.isAccepted(bytes) { () throws(CNIError) in
                let configuration = try CNIConfiguration(bytes)
                _ = try CNIResult(of: configuration)
            }
        }

        // Damage must neither be overlooked nor be total, else this tests little.
        #expect((Fuzzing.executions / 100..<Fuzzing.executions).contains(accepted))
    }

    @Test func `what was read can be written and read again`() throws {
        var inputs = Mutations(of: [Array(Self.configuration.utf8)], words: Self.words, seed: 2)

        for _ in 0..<Fuzzing.executions {
            // What is refused is the business of the test above.
            guard let value = try? JSONValue(parsing: inputs.next()) else { continue }
            #expect(try JSONValue(parsing: value.bytes()) == value)
            #expect(try JSONValue(parsing: value.bytes(.indented)) == value)
        }
    }

    @Test func `the environment is read or refused`() {
        let names = [
            "CNI_COMMAND", "CNI_CONTAINERID", "CNI_IFNAME", "CNI_NETNS", "CNI_PATH", "CNI_NETNS_OVERRIDE",
        ]
        let good = ["ADD", "CHECK", "DEL", "GC", "STATUS"].map { command in
            Array("\(command)\nc1\neth0\n/run/netns/n1\n/opt/cni/bin\n1".utf8)
        }
        var inputs = Mutations(of: good, words: ["ADD", "DEL", "CHECK", "TRUE"], seed: 3)
        var accepted = 0

        for _ in 0..<Fuzzing.executions {
            let bytes = inputs.next()
            let values = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let pairs = zip(names, values).map { ($0, String(decoding: $1, as: UTF8.self)) }
            let environment = [String: String](uniqueKeysWithValues: pairs)
            accepted += Self.isAccepted(bytes) { () throws(CNIError) in
                let request = try CNIRequest(environment: environment)
                for version in CNIVersion.allCases { try request.requireCommand(of: version) }
            }
        }

        // Damage must neither be overlooked nor be total, else this tests little.
        #expect((Fuzzing.executions / 100..<Fuzzing.executions).contains(accepted))
    }

    @Test func `CNI_ARGS is read or refused`() {
        let good = [
            "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=t2;K8S_POD_UID=2241435d",
            "K8S_POD_NAME=a",
        ]
        var inputs = Mutations(
            of: good.map { Array($0.utf8) },
            words: ["IgnoreUnknown=", "K8S_POD_UID="],
            seed: 4
        )
        var accepted = 0

        for _ in 0..<Fuzzing.executions {
            let bytes = inputs.next()
            accepted += Self.isAccepted(bytes) { () throws(CNIError) in
                _ = try CNIArguments(String(decoding: bytes, as: UTF8.self))
            }
        }

        // Damage must neither be overlooked nor be total, else this tests little.
        #expect((Fuzzing.executions / 100..<Fuzzing.executions).contains(accepted))
    }

    /// Counts 1 for accepted input, and checks the refusal of other input.
    private static func isAccepted(_ bytes: [UInt8], _ body: () throws(CNIError) -> Void) -> Int {
        do throws(CNIError) {
            try body()
            return 1
        } catch {
            let isNamed = names.contains { name in error.message.utf8.starts(with: name.utf8) }
            if !isNamed { Issue.record("\(error.description) for \(String(decoding: bytes, as: UTF8.self))") }
            if (try? JSONValue(parsing: error.bytes())) == nil { Issue.record("not JSON: \(error.description)") }
            return 0
        }
    }

    /// What a message begins with: the field, or the input as a whole.
    private static let names =
        [
            "the configuration on standard input", "prevResult", "CNI_", "variables that ", "cniVersion",
            "name of",
            "type of", "ipam of", "dns of", "plugin_log_level", "cni_agent_run_dir", "ambient_enabled",
            "enablement_selectors", "exclude_namespaces", "pod_namespace", "native_nftables", "node_name",
            "enable_ambient_detection_retry", "agent_wait_seconds", "capabilities", "runtimeConfig",
            "cni.dev/valid-attachments",
        ]

    private static let words = [
        "\"cniVersion\":", "\"prevResult\":", "\"ips\":", "\"interface\":", "\"sandbox\":", "\"0.4.0\"",
        "\"1.0.0\"",
        "\"runtimeConfig\":", "\"io.kubernetes.cri.pod-annotations\":", "\"agent_wait_seconds\":",
    ]

    private static let configuration = #"""
        {"cniVersion":"1.0.0","name":"pods","type":"istio-cni","ipam":{},"dns":{},"plugin_log_level":"info",
        "cni_agent_run_dir":"/var/run/istio-cni","ambient_enabled":false,"enablement_selectors":[{"podSelector":{}}],
        "exclude_namespaces":["kube-system"],"pod_namespace":"istio-system","native_nftables":false,
        "agent_wait_seconds":20,"node_name":"node-1","capabilities":{"io.kubernetes.cri.pod-annotations":true},
        "runtimeConfig":{"io.kubernetes.cri.pod-annotations":{"sidecar.istio.io/status":"{\"a\":\"\u00e9\ud83d\ude00\"}"}},
        "cni.dev/valid-attachments":[{"containerID":"c1","ifname":"eth0"}],
        "prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"/n"}],
        "ips":[{"address":"10.0.0.2/24","interface":0}],"routes":[{"dst":"0.0.0.0/0","priority":1.50e+2}]}}
        """#
}
