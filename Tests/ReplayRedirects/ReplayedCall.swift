import Foundation
import LinuxKernel

/// One ADD of the built plugin in a fresh namespace, and what it left there.
struct ReplayedCall {
    let plugin: String
    let runDirectory: String

    /// Waiting for the agent included, which the plugin does for 20 s.
    private static let longestCallMilliseconds = 60_000

    /// With `hasAnnotations` the runtime hands the pod's annotations over, and the plugin can answer for itself about
    /// some pods; without, it asks the agent about each.
    func add(_ pod: PodDocument, _ addresses: [String], hasAnnotations: Bool) throws -> SandboxState {
        let namespace = try NetworkNamespace.makeNew()
        try RouteSocket(in: namespace).setLoopbackUp()
        let path = "/proc/\(getpid())/fd/\(namespace.rawDescriptor)"
        let arguments = [
            "IgnoreUnknown=1", "K8S_POD_NAMESPACE=\(pod.namespace)", "K8S_POD_NAME=\(pod.name)",
            "K8S_POD_INFRA_CONTAINER_ID=\(pod.name)",
        ]
        let call = ChildProcess(
            plugin,
            environment: [
                "CNI_COMMAND=ADD", "CNI_CONTAINERID=\(pod.name)", "CNI_NETNS=\(path)", "CNI_IFNAME=eth0",
                "CNI_PATH=/opt/cni/bin", "CNI_ARGS=\(arguments.joined(separator: ";"))",
            ],
            standardInput: Array(try configuration(addresses, sandbox: path, hasAnnotations ? pod : nil)),
            deadlineMilliseconds: Self.longestCallMilliseconds
        )
        let outcome = try call.run()

        var state = try SandboxState(of: namespace)
        switch outcome.ending {
        case .exit(let status): state.exit = status
        case .signal(let number): throw ReplayError("the plugin ended by signal \(number)")
        case .deadline: throw ReplayError("the plugin took too long")
        }
        if state.exit != 0 {
            let refusal = try JSONDecoder().decode(RecordedState.Refusal.self, from: Data(outcome.standardOutput))
            state.errorCode = refusal.code
            state.errorMessage = refusal.msg
        }
        return state
    }

    /// Standard input, with the settings of the recording.
    private func configuration(_ addresses: [String], sandbox: String, _ pod: PodDocument?) throws -> Data {
        var configuration: [String: Any] = [
            "cniVersion": "1.0.0",
            "name": "istio-cni",
            "type": "istio-cni",
            "plugin_log_level": "info",
            "cni_agent_run_dir": runDirectory,
            "ambient_enabled": false,
            "exclude_namespaces": ["kube-system"],
            "pod_namespace": "istio-system",
            "native_nftables": false,
            "prevResult": [
                "cniVersion": "1.0.0",
                "interfaces": [["name": "eth0", "sandbox": sandbox]],
                "ips": addresses.map { ["address": $0, "interface": 0] as [String: Any] },
            ] as [String: Any],
        ]
        if let pod { configuration["runtimeConfig"] = ["io.kubernetes.cri.pod-annotations": pod.annotations] }
        return try JSONSerialization.data(withJSONObject: configuration)
    }
}

extension SandboxState {
    /// Reads back with the tools of the recording.
    init(of namespace: borrowing NetworkNamespace) throws {
        self.init(
            iptables: SavedTables(try namespace.lines("iptables-nft-save")),
            ip6tables: SavedTables(try namespace.lines("ip6tables-nft-save")),
            rules4: Self.trimmed(try namespace.lines("ip", "rule")),
            rules6: Self.trimmed(try namespace.lines("ip", "-6", "rule")),
            table133v4: Self.trimmed(try namespace.lines("ip", "route", "show", "table", "133", mayFail: true)),
            table133v6: Self.trimmed(try namespace.lines("ip", "-6", "route", "show", "table", "133", mayFail: true)),
            loopback: try namespace.lines("ip", "-oneline", "address", "show", "lo").compactMap { line in
                // 1: lo    inet 127.0.0.1/8 scope host lo\       valid_lft forever preferred_lft forever
                line.split(separator: " ").dropFirst(3).first.map(String.init)
            }.sorted()
        )
    }
}

extension NetworkNamespace {
    /// A table that nobody has written to is an error for `ip` (`mayFail`).
    fileprivate func lines(_ words: String..., mayFail: Bool = false) throws -> [String] {
        let tool = ChildProcess(
            "/usr/bin/env",
            words,
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"],
            deadlineMilliseconds: 60_000,
            outputByteLimit: 16 * 1_024 * 1_024
        )
        let outcome = try tool.run(in: self)
        guard outcome.isSuccess || mayFail else {
            throw ReplayError(
                "\(words.joined(separator: " ")): \(String(decoding: outcome.standardError, as: UTF8.self))"
            )
        }
        return String(decoding: outcome.standardOutput, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
