/// What the runtime writes to the plugin's standard input: the entry of the configuration list, and what is new
/// for this call.
///
/// Names of top-level keys are matched in any case of letters, as Go does. `null` is the same as absent. Keys that
/// nobody here knows are kept in `document`.
package struct CNIConfiguration: Equatable, Sendable {
    package let document: JSONDocument
    package let version: CNIVersion

    /// The name of the network.
    package let name: String

    /// `plugin_log_level`; "" means info.
    package let logLevel: String

    /// `cni_agent_run_dir`: where the agent's sockets are.
    package let runDirectory: String
    package let isAmbientEnabled: Bool

    /// `enablement_selectors`: which pods are in ambient mode, as written.
    package let enablementSelectors: [JSONValue]
    package let excludedNamespaces: [String]

    /// `pod_namespace`: the namespace of the agent itself.
    package let podNamespace: String

    /// `native_nftables`.
    package let wantsNFTables: Bool

    /// `enable_ambient_detection_retry`.
    package let retriesAmbientDetection: Bool

    /// `agent_wait_seconds`: how long ADD waits for the agent's answer; nil means the default.
    package let agentWaitSeconds: Int?

    /// `node_name`; "" where the agent did not know it.
    package let nodeName: String

    /// `capabilities`: which runtime features the entry asks for, by name.
    package let capabilities: [String: Bool]

    /// The pod's annotations as the runtime hands them over; nil where it does not know this capability.
    ///
    /// A runtime written in Go writes `null` for a pod without annotations: that is an empty dictionary here.
    package let podAnnotations: [String: String]?

    /// `prevResult`, not looked into.
    ///
    /// DEL and GC must not fail because of it; ADD and CHECK make a `CNIResult` of it.
    package let previousResult: PreviousResult?

    /// `cni.dev/valid-attachments` of GC; nil where absent.
    package let validAttachments: [ValidAttachment]?

    /// What the plugin before this one in the chain printed.
    package struct PreviousResult: Equatable, Sendable {
        /// As written.
        package let bytes: [UInt8]
        package let value: JSONValue
    }

    /// An attachment that GC must leave alone.
    package struct ValidAttachment: Equatable, Sendable {
        package let containerID: String
        package let interfaceName: String
    }

    /// The capability by which the runtime hands over the pod's annotations (containerd, CRI-O).
    package static let podAnnotationsCapability = "io.kubernetes.cri.pod-annotations"

    /// The longest wait that may be asked for, in seconds: the kubelet itself gives up after 120 by default.
    package static let longestAgentWaitSeconds = 600

    /// Reads a configuration.
    ///
    /// Code 6: not JSON, or a known key of the wrong type. Code 7: a value that is not allowed. Code 1: an unknown
    /// version. The message names the key, and the error carries the version once that is known.
    package init(_ bytes: [UInt8]) throws(CNIError) {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(bytes)
        } catch {
            throw CNIError(
                .undecodableContent,
                "the configuration on standard input is not JSON",
                details: error.description
            )
        }
        guard case .object(let members) = document.value else {
            throw CNIError(
                .undecodableContent,
                "the configuration on standard input is \(document.value.kind), expected an object"
            )
        }
        var keys = ConfigurationKeys(members)
        try self.init(document, &keys)
    }

    private init(_ document: JSONDocument, _ keys: inout ConfigurationKeys) throws(CNIError) {
        let versionText = try keys.string("cniVersion")
        // Known versions only: what else it may be is reported below, after the name, as the reference library does.
        keys.version = versionText.isEmpty ? .oldest : CNIVersion(rawValue: versionText)
        name = try keys.networkName()
        guard let version = keys.version else {
            throw CNIError(
                .incompatibleVersion,
                "cniVersion \(CNIError.quoting(versionText)) of the configuration is not supported",
                details: "supported versions: \(CNIVersion.list)"
            )
        }
        self.document = document
        self.version = version
        logLevel = try keys.string("plugin_log_level")
        runDirectory = try keys.string("cni_agent_run_dir")
        isAmbientEnabled = try keys.bool("ambient_enabled")
        enablementSelectors = try keys.objects("enablement_selectors")
        excludedNamespaces = try keys.strings("exclude_namespaces")
        podNamespace = try keys.string("pod_namespace")
        wantsNFTables = try keys.bool("native_nftables")
        retriesAmbientDetection = try keys.bool("enable_ambient_detection_retry")
        agentWaitSeconds = try keys.agentWaitSeconds()
        nodeName = try keys.string("node_name")
        capabilities = try keys.capabilities()
        podAnnotations = try keys.podAnnotations()
        previousResult = keys.index("prevResult").map { index in
            let bytes = Array(document.bytes[document.memberRanges[index]])
            return PreviousResult(bytes: bytes, value: keys.members[index].value)
        }
        validAttachments = try keys.validAttachments()
        _ = try keys.string("type")
        for key in ["ipam", "dns"] { _ = try keys.object(key) }
    }
}
