package import CNIProtocol

/// Our entry in a runtime's configuration: what the plugin is told at every call.
///
/// The keys are upstream's, then those of decisions 9 and 10. `CNIConfiguration` reads them.
package struct PluginEntry: Equatable, Sendable {
    /// The plugin's type, which is also the name of its executable.
    package static let type = "istio-cni"

    package var logLevel = "info"
    package var runDirectory = "/var/run/istio-cni"
    package var isAmbientEnabled = false

    /// `enablement_selectors`: which pods are in ambient mode.
    package var enablementSelectors: [JSONValue] = []
    package var excludedNamespaces: [String] = []

    /// The namespace of the agent itself.
    package var podNamespace = ""
    package var wantsNFTables = false
    package var retriesAmbientDetection = false
    package var nodeName = ""
    package var agentWaitSeconds = 20

    package init() {}

    /// The entry as it stands in the `plugins` of a list.
    package var value: JSONValue { .object(members) }

    /// The entry as a file of its own.
    package var standaloneValue: JSONValue {
        .object([JSONMember("cniVersion", .string(CNIVersion.v031.rawValue))] + members)
    }

    private var members: [JSONMember] {
        let namespaces = excludedNamespaces.map { name in JSONValue.string(name) }
        return [
            JSONMember("name", .string(Self.type)),
            JSONMember("type", .string(Self.type)),
            JSONMember("ipam", .object([])),
            JSONMember("dns", .object([])),
            JSONMember("plugin_log_level", .string(logLevel)),
            JSONMember("cni_agent_run_dir", .string(runDirectory)),
            JSONMember("ambient_enabled", .bool(isAmbientEnabled)),
            JSONMember("enablement_selectors", .array(enablementSelectors)),
            JSONMember("exclude_namespaces", namespaces.isEmpty ? .null : .array(namespaces)),
            JSONMember("pod_namespace", .string(podNamespace)),
            JSONMember("native_nftables", .bool(wantsNFTables)),
            JSONMember("enable_ambient_detection_retry", .bool(retriesAmbientDetection)),
            JSONMember("capabilities", .object([JSONMember(CNIConfiguration.podAnnotationsCapability, .bool(true))])),
            JSONMember("node_name", .string(nodeName)),
            JSONMember("agent_wait_seconds", .integer(agentWaitSeconds)),
        ]
    }
}
