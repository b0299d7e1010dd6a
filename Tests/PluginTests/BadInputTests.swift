import Foundation
import LinuxKernel
import TestSupport
import Testing

/// What a runtime, or a person at a shell, can get wrong: always one CNI error, which names the place.
@Suite struct BadInputTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let code: Int

        /// What the message or the details must say.
        let word: String
        let change: @Sendable (inout PluginCall) -> Void

        init(_ name: String, _ code: Int, _ word: String, _ change: @escaping @Sendable (inout PluginCall) -> Void) {
            self.name = name
            self.code = code
            self.word = word
            self.change = change
        }

        /// Another value of a variable; "" means that it is not set.
        init(_ variable: String, _ value: String, _ word: String? = nil) {
            self.init("\(variable)=\(value)", 4, word ?? variable) { $0.variables[variable] = value }
        }

        /// Another standard input.
        init(input: String, _ code: Int, _ word: String) {
            self.init(String(input.prefix(60)), code, word) { $0.input = input }
        }

        var testDescription: String { name }
    }

    static let variables = [
        Case("CNI_COMMAND", "PATCH"), Case("CNI_COMMAND", "add"), Case("CNI_CONTAINERID", ""),
        Case("CNI_CONTAINERID", "-x"), Case("CNI_CONTAINERID", "a/../b"), Case("CNI_IFNAME", ""),
        Case("CNI_IFNAME", "eth0/.."), Case("CNI_IFNAME", "sixteen-letters-"), Case("CNI_NETNS", ""),
        Case("CNI_PATH", ""), Case("CNI_ARGS", "K8S_POD_NAME"), Case("CNI_ARGS", "K8S_POD_NAME=a=b"),
        Case("CNI_ARGS", "IgnoreUnknown=perhaps"), Case("CNI_ARGS", "COLOUR=red", "COLOUR"),
        Case("CNI_ARGS", ";"),
    ]

    static let head = #""cniVersion":"1.0.0","name":"pods","type":"istio-cni""#
    static let key = "io.kubernetes.cri.pod-annotations"

    static let inputs = [
        Case(input: "\n", 6, "standard input"), Case(input: "[]", 6, "standard input"),
        Case(input: "{", 6, "standard input"), Case(input: "\u{0}\u{1}\u{2}", 6, "standard input"),
        Case(input: "{\(head)} {}", 6, "standard input"),
        Case(input: String(repeating: "[", count: 100_000), 6, "standard input"),
        Case(input: #"{"name":"pods","x":"\#(String(repeating: "y", count: 5_000_000))"}"#, 5, "standard input"),
        Case(input: #"{"cniVersion":17,"name":"pods"}"#, 6, "cniVersion"),
        Case(input: #"{"cniVersion":"9.9.9","name":"pods"}"#, 1, "cniVersion"),
        Case(input: #"{"cniVersion":"1.0.0"}"#, 7, "name"),
        Case(input: #"{"cniVersion":"1.0.0","name":"a b"}"#, 7, "name"),
        Case(input: #"{\#(head),"agent_wait_seconds":"20"}"#, 6, "agent_wait_seconds"),
        Case(input: #"{\#(head),"agent_wait_seconds":1e9}"#, 7, "agent_wait_seconds"),
        Case(input: #"{\#(head),"exclude_namespaces":["a",1]}"#, 6, "exclude_namespaces[1]"),
        Case(input: #"{\#(head),"cni_agent_run_dir":["/run"]}"#, 6, "cni_agent_run_dir"),
        Case(input: #"{\#(head),"runtimeConfig":[]}"#, 6, "runtimeConfig"),
        Case(input: #"{\#(head),"runtimeConfig":{"\#(key)":{"a":1}}}"#, 6, key),
        Case(input: #"{\#(head),"prevResult":"x"}"#, 6, "prevResult"),
        Case(input: #"{\#(head),"prevResult":{"ips":[]}}"#, 6, "prevResult.cniVersion"),
        Case(input: #"{\#(head),"prevResult":{"cniVersion":"0.2.0"}}"#, 1, "prevResult.cniVersion"),
        Case(
            input: #"{\#(head),"prevResult":{"cniVersion":"1.0.0","ips":[{"address":7}]}}"#,
            6,
            "prevResult.ips[0].address"
        ),
    ]

    @Test(arguments: variables + inputs)
    func `what is wrong is named`(what: Case) async throws {
        var call = PluginCall(namespace: "/proc/self/ns/net")
        what.change(&call)

        let error = try await call.run().error()

        #expect(error.code == what.code, "\(error)")
        let text = error.msg + (error.details ?? "")
        #expect(text.contains(what.word), "\(text)")
        #expect(text.utf8.count < 1_000)
    }

    /// Settings of the runtime's own are none of the pod's.
    @Test func `a runtime's environment cannot change a plan`() async throws {
        var call = PluginCall(namespace: "/proc/self/ns/net")
        call.annotations = "{}"
        call.variables = ["ISTIO_OUTBOUND_OWNER_GROUPS": "x", "DRY_RUN": "true", "HOST_PROBE_SNAT_IP": "x"]

        let outcome = try await call.run()

        #expect(outcome.ending == .exit(0))
        #expect(outcome.output == call.previousResult)
    }

    @Test func `a person who calls it without a command is told what it is`() async throws {
        var call = PluginCall(command: "")
        call.input = ""

        let outcome = try await call.run()

        #expect(outcome.ending == .exit(0))
        #expect(outcome.output == "")
        #expect(outcome.log.contains("istio-cni"))
    }
}
