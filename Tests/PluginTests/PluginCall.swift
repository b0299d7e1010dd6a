import Foundation
import LinuxKernel
import TestSupport
import Testing

/// One call of the built plugin, as a container runtime makes it.
struct PluginCall {
    var command = "ADD"
    var namespace = ""
    var arguments = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-1;K8S_POD_UID=u-1"
    var version = "1.0.0"
    var runDirectory = "/nonexistent"
    var waitSeconds = 1

    /// What the runtime passes as annotations; nil for one that knows no such thing.
    var annotations: String? = #"{"sidecar.istio.io/status":"{}"}"#
    var previousResult: String? = PluginCall.previousResult("1.0.0")

    /// The words before the program's own: what it is run by.
    var isolation: [String] = []

    /// Variables that replace those of the rest; "" takes one away.
    var variables: [String: String] = [:]

    /// Kept for as long as the call is.
    private var directory: TemporaryDirectory?

    /// Standard input, where it is not to be made of the rest.
    var input: String?

    static func previousResult(_ version: String) -> String {
        switch version {
        case "0.1.0", "0.2.0":
            #"{ "cniVersion":"\#(version)", "zz": 1.50e3, "ip4": {"ip":"10.1.0.2/24", "x":[ ]}, "dns":{} }"#
        default:
            #"{ "zz": 1.50e3,"cniVersion":"\#(version)", "interfaces":[{"name":"eth0","sandbox":"/x","mtu":1500}],"#
                + #" "ips":[{"address":"10.1.0.2/24","version":"4","interface":0,"more":{"a":null}}],"dns":{}}"#
        }
    }

    var standardInput: String {
        if let input { return input }
        var text = #"{"cniVersion":"\#(version)","name":"pods","type":"istio-cni","node_name":"node-7","#
        text += #""cni_agent_run_dir":"\#(runDirectory)","agent_wait_seconds":\#(waitSeconds),"#
        text += #""pod_namespace":"istio-system","exclude_namespaces":["kube-system"]"#
        if let annotations { text += #","runtimeConfig":{"io.kubernetes.cri.pod-annotations":\#(annotations)}"# }
        if let previousResult { text += #","prevResult":\#(previousResult)"# }
        return text + "}"
    }

    var environment: [String] {
        let usual = [
            "CNI_COMMAND": command, "CNI_CONTAINERID": "c1", "CNI_NETNS": namespace, "CNI_IFNAME": "eth0",
            "CNI_PATH": "/opt/cni/bin", "CNI_ARGS": arguments, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        ]
        return usual.merging(variables) { _, wanted in wanted }.filter { !$0.value.isEmpty }.map { "\($0)=\($1)" }
    }

    /// The plugin that `PLUGIN` names, such as the one of scripts/embedded-check, else `istio-cni` beside the running
    /// test program.
    static let plugin =
        ProcessInfo.processInfo.environment["PLUGIN"]
        ?? URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "istio-cni").path(percentEncoded: false)

    init(command: String = "ADD", namespace: String = "", runDirectory: String = "/nonexistent") {
        self.command = command
        self.namespace = namespace
        self.runDirectory = runDirectory
    }

    /// An ADD in `namespace`, which the caller must keep open, with the agent's socket in `directory`.
    init(_ namespace: borrowing NetworkNamespace, _ directory: TemporaryDirectory) {
        self.init(namespace: namespace.pathForOthers, runDirectory: directory.path)
        self.directory = directory
    }

    func run() async throws -> Outcome {
        let words = isolation + [Self.plugin]
        let process = ChildProcess(
            words[0],
            Array(words.dropFirst()),
            environment: environment,
            standardInput: Array(standardInput.utf8),
            deadlineMilliseconds: 60_000
        )
        return try await onThread {
            let start = Clock.monotonicMilliseconds()
            let outcome = try process.run()
            return Outcome(outcome, milliseconds: Clock.monotonicMilliseconds() - start)
        }
    }

    struct Outcome: Sendable {
        let ending: ChildProcess.Ending
        let output: String
        let log: String
        let milliseconds: Int

        init(_ outcome: ChildProcess.Outcome, milliseconds: Int) {
            ending = outcome.ending
            output = String(decoding: outcome.standardOutput, as: UTF8.self)
            log = String(decoding: outcome.standardError, as: UTF8.self)
            self.milliseconds = milliseconds
        }

        /// The error on standard output, which is all that may be there; what else is said is JSON too.
        func error() throws -> Failure {
            #expect(ending == .exit(1))
            for line in log.split(separator: "\n") {
                #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) }
            }
            return try JSONDecoder().decode(Failure.self, from: Data(output.utf8))
        }
    }

    struct Failure: Decodable, Equatable {
        let cniVersion: String
        let code: Int
        let msg: String
        let details: String?
    }
}

extension NetworkNamespace {
    /// A path by which other processes can open it for as long as this handle lives.
    var pathForOthers: String { "/proc/\(getpid())/fd/\(rawDescriptor)" }
}

/// A folder that ends with the test.
final class TemporaryDirectory: Sendable {
    private let url: URL

    init() throws {
        url = URL(filePath: "/tmp").appending(path: "icni-\(UUID().uuidString.prefix(13))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        // What is left is in /tmp.
        try? FileManager.default.removeItem(at: url)
    }

    var path: String { url.path(percentEncoded: false) }

    func path(_ name: String) -> String { url.appending(path: name).path(percentEncoded: false) }
}
