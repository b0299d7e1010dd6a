import Foundation
import LinuxKernel
import Redirect
import TestSupport

/// A real agent that knows the recorded pods, and calls of the plugin.
final class ReplayNode: Sendable {
    private let directory: URL
    private let plugin: String
    private let agent: Process

    init(plugin: String, agent path: String, cases: [RecordedCase]) throws {
        self.plugin = plugin
        directory = URL(filePath: "/tmp/istio-cni-replay-\(getpid())")
        let pods = directory.appending(path: "pods")
        try FileManager.default.createDirectory(at: pods, withIntermediateDirectories: true)
        for recorded in cases {
            try recorded.podDocument.write(to: pods.appending(path: "\(recorded.id).json"))
        }
        agent = Process()
        agent.executableURL = URL(filePath: path)
        agent.arguments = [
            "--pod-source=directory:\(pods.path(percentEncoded: false))",
            "--cni-agent-run-dir=\(directory.path(percentEncoded: false))", "--skip-install",
        ]
        agent.environment = ["REDIRECT_BACKEND": "iptables"]
        agent.standardError = FileHandle.nullDevice
        agent.standardOutput = FileHandle.nullDevice
        try agent.run()
        let socket = directory.appending(path: "pluginevent.sock").path(percentEncoded: false)
        let deadline = Clock.monotonicMilliseconds() + 60_000
        while !FileManager.default.fileExists(atPath: socket) {
            guard Clock.monotonicMilliseconds() < deadline else { throw ReplayFailure("the agent does not start") }
            Clock.sleep(milliseconds: 10)
        }
    }

    func stop() {
        agent.terminate()
        agent.waitUntilExit()
        // What is left is in /tmp.
        try? FileManager.default.removeItem(at: directory)
    }

    /// One ADD, configured as the recording was.
    func add(_ recorded: RecordedCase, to namespace: CInt) throws -> ChildProcess.Outcome {
        let ips = recorded.addresses.map { ["address": $0, "interface": 0] as [String: Any] }
        let configuration: [String: Any] = [
            "cniVersion": "1.0.0", "name": "pods", "type": "istio-cni", "plugin_log_level": "error",
            "cni_agent_run_dir": directory.path(percentEncoded: false),
            "exclude_namespaces": ["kube-system"], "pod_namespace": "istio-system",
            "runtimeConfig": ["io.kubernetes.cri.pod-annotations": recorded.pod.annotations],
            "prevResult": [
                "cniVersion": "1.0.0", "interfaces": [["name": "eth0", "sandbox": "/x"]], "ips": ips,
            ] as [String: Any],
        ]
        let arguments = "K8S_POD_NAMESPACE=\(recorded.pod.namespace);K8S_POD_NAME=\(recorded.pod.name)"
        let call = ChildProcess(
            plugin,
            [],
            environment: [
                "CNI_COMMAND=ADD", "CNI_CONTAINERID=\(recorded.id)", "CNI_IFNAME=eth0", "CNI_PATH=/opt/cni/bin",
                "CNI_NETNS=/proc/\(getpid())/fd/\(namespace)", "CNI_ARGS=IgnoreUnknown=1;\(arguments)",
            ],
            standardInput: Array(try JSONSerialization.data(withJSONObject: configuration)),
            deadlineMilliseconds: 60_000
        )
        return try call.run()
    }
}
