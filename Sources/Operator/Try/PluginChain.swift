internal import CNIProtocol
internal import LinuxKernel
internal import Redirect

/// The chain of CNI plugins that a container runtime would run for the pod.
struct PluginChain {
    let pod: PodManifest
    let istioPlugin: String
    let runDirectory: String

    static let version = "1.0.0"
    static let pluginFolder = "/usr/lib/cni"
    static let containerID = "istio-cnictl-try"

    /// Whether Debian's `bridge` and `host-local` are there.
    static var hasBridge: Bool {
        ["bridge", "host-local"].allSatisfy { ExecutableFile.isPresent("\(pluginFolder)/\($0)") }
    }

    /// Adds eth0 with an address of each family of the pod, and a default route.
    ///
    /// - Returns: The plugin's result.
    func addBridge() throws(TryError) -> JSONValue {
        try call("ADD", "\(Self.pluginFolder)/bridge", bridgeConfiguration)
    }

    func deleteBridge(_ result: JSONValue) throws(TryError) {
        _ = try call("DEL", "\(Self.pluginFolder)/bridge", bridgeConfiguration + [JSONMember("prevResult", result)])
    }

    /// Redirects the pod.
    ///
    /// - Returns: The plugin's result, which is that of the plugin before it.
    func addIstio(_ previous: JSONValue) throws(TryError) -> JSONValue {
        try call("ADD", istioPlugin, istioConfiguration + [JSONMember("prevResult", previous)])
    }

    func deleteIstio(_ result: JSONValue) throws(TryError) {
        _ = try call("DEL", istioPlugin, istioConfiguration + [JSONMember("prevResult", result)])
    }

    /// What `bridge` would do, by hand: a pair of interfaces.
    func addPair() throws(TryError) -> JSONValue {
        try IPProgram.run("link", "add", "veth0", "type", "veth", "peer", "name", "eth0", "netns", "pod")
        try IPProgram.run("link", "set", "veth0", "up")
        try IPProgram.run("-netns", "pod", "link", "set", "eth0", "up")
        var addresses: [JSONValue] = []
        for family in pod.families {
            let length = HostNetwork.podNetwork(family).prefixLength
            let gateway = HostNetwork.gateway(family).description
            let address = "\(HostNetwork.firstPodAddress(family).description)/\(length)"
            try IPProgram.run("address", "add", "\(gateway)/\(length)", "dev", "veth0")
            try IPProgram.run("-netns", "pod", "address", "add", address, "dev", "eth0")
            try IPProgram.run("-netns", "pod", "route", "add", "default", "via", gateway)
            addresses.append(
                .object([
                    JSONMember("interface", .integer(0)), JSONMember("address", .string(address)),
                    JSONMember("gateway", .string(gateway)),
                ])
            )
        }
        let interface = JSONValue.object([
            JSONMember("name", .string("eth0")), JSONMember("sandbox", .string(HostNetwork.podPath)),
        ])
        return .object([
            JSONMember("cniVersion", .string(Self.version)),
            JSONMember("interfaces", .array([interface])),
            JSONMember("ips", .array(addresses)),
        ])
    }

    private var network: [JSONMember] {
        [JSONMember("cniVersion", .string(Self.version)), JSONMember("name", .string("istio-cnictl-try"))]
    }

    private var bridgeConfiguration: [JSONMember] {
        let ranges = pod.families.map { family in
            JSONValue.array([
                .object([JSONMember("subnet", .string(HostNetwork.podNetwork(family).description))])
            ])
        }
        let routes = pod.families.map { family in
            JSONValue.object([JSONMember("dst", .string(family == .ipv4 ? "0.0.0.0/0" : "::/0"))])
        }
        return network + [
            JSONMember("type", .string("bridge")),
            JSONMember("bridge", .string(HostNetwork.bridge)),
            JSONMember("isGateway", .bool(true)),
            JSONMember("hairpinMode", .bool(true)),
            JSONMember(
                "ipam",
                .object([
                    JSONMember("type", .string("host-local")),
                    JSONMember("dataDir", .string("/run/cni-addresses")),
                    JSONMember("ranges", .array(ranges)),
                    JSONMember("routes", .array(routes)),
                ])
            ),
        ]
    }

    private var istioConfiguration: [JSONMember] {
        let capability = CNIConfiguration.podAnnotationsCapability
        let annotations = pod.annotations.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) }
        return network + [
            JSONMember("type", .string("istio-cni")),
            JSONMember("plugin_log_level", .string("info")),
            JSONMember("cni_agent_run_dir", .string(runDirectory)),
            JSONMember("exclude_namespaces", .array([.string("kube-system")])),
            JSONMember("pod_namespace", .string("istio-system")),
            JSONMember("node_name", .string("istio-cnictl-try")),
            JSONMember("agent_wait_seconds", .integer(5)),
            JSONMember("capabilities", .object([JSONMember(capability, .bool(true))])),
            JSONMember("runtimeConfig", .object([JSONMember(capability, .object(annotations))])),
        ]
    }

    private func call(_ command: String, _ path: String, _ configuration: [JSONMember]) throws(TryError) -> JSONValue {
        let arguments = [
            "IgnoreUnknown=1", "K8S_POD_NAMESPACE=\(pod.namespace)", "K8S_POD_NAME=\(pod.name)",
            "K8S_POD_INFRA_CONTAINER_ID=\(Self.containerID)", "K8S_POD_UID=\(pod.uid)",
        ]
        let program = ChildProcess(
            path,
            environment: [
                "CNI_COMMAND=\(command)", "CNI_CONTAINERID=\(Self.containerID)", "CNI_NETNS=\(HostNetwork.podPath)",
                "CNI_IFNAME=eth0", "CNI_ARGS=\(arguments.joined(separator: ";"))", "CNI_PATH=\(Self.pluginFolder)",
                SystemPrograms.searchPath,
            ],
            standardInput: JSONValue.object(configuration).bytes(),
            deadlineMilliseconds: 30_000
        )
        let outcome = try explaining("run \(path)") { () throws(KernelError) in try program.run() }
        let output = try? JSONValue(parsing: outcome.standardOutput)  // DEL prints nothing, and a crash may.
        guard outcome.isSuccess else {
            let message = output?["msg"]?.string ?? String(decoding: outcome.standardError.suffix(2_000), as: UTF8.self)
            let details = output?["details"]?.string.map { " (\($0))" } ?? ""
            throw TryError("\(path) \(command) failed: \(message)\(details)")
        }
        return output ?? .null
    }
}
