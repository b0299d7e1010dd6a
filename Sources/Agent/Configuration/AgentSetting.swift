internal import CNIProtocol

/// Something that can be set from outside when the agent starts.
///
/// There is no other definition of any of them: the command line, its help, `docs/configuration.md` and
/// ``AgentConfiguration`` are made from this list.
package enum AgentSetting: String, CaseIterable, Sendable {
    case podSource = "pod-source"
    case agentRunDirectory = "cni-agent-run-dir"
    case nodeName = "NODE_NAME"
    case loggedNodeName = "KUBERNETES_NODE_NAME"
    case podName = "POD_NAME"
    case podNamespace = "POD_NAMESPACE"
    case excludedNamespaces = "EXCLUDE_NAMESPACES"

    case skipsInstallation = "skip-install"
    case primaryName = "cni-conf-name"
    case isChained = "chained-cni-plugin"
    case hasOwnedFile = "istio-owned-cni-config"
    case ownedFileName = "istio-owned-cni-config-filename"
    case configurationDirectory = "mounted-cni-net-dir"
    case programDirectory = "mounted-cni-bin-dir"
    case programSource = "cni-bin-source-dir"
    case isGroupReadable = "cni-conf-group-read"

    case backend = "REDIRECT_BACKEND"
    case nativeNFTables = "NATIVE_NFTABLES"
    case waitSeconds = "AGENT_WAIT_SECONDS"

    case repairs = "repair-enabled"
    case repairsPods = "REPAIR_REPAIR_PODS"
    case deletesPods = "repair-delete-pods"
    case labelsPods = "repair-label-pods"
    case brokenLabelKey = "repair-broken-pod-label-key"
    case brokenLabelValue = "repair-broken-pod-label-value"
    case repairNodeName = "repair-node-name"
    case sidecarAnnotation = "repair-sidecar-annotation"
    case validationName = "repair-init-container-name"
    case validationMessage = "repair-init-container-termination-message"
    case validationExitCode = "repair-init-container-exit-code"
    case labelSelectors = "repair-label-selectors"
    case fieldSelectors = "repair-field-selectors"
    case processDirectory = "mounted-proc-dir"

    case serverHost = "KUBERNETES_SERVICE_HOST"
    case serverPort = "KUBERNETES_SERVICE_PORT"
    case serverProtocol = "KUBERNETES_SERVICE_PROTOCOL"
    case serviceAccountDirectory = "service-account-dir"

    case healthPort = "health-port"
    case monitoringPort = "monitoring-port"
    case logLevels = "log_output_level"
    case logsJSON = "log_as_json"

    case isAmbient = "ambient-enabled"
    case retriesAmbientDetection = "enable-ambient-detection-retry"

    /// What the settings are about, in the order of the help.
    package enum Group: String, CaseIterable, Sendable {
        case node = "This node and its pods"
        case installation = "Installation of the plugin"
        case redirection = "Redirection"
        case repair = "Repair"
        case server = "API server"
        case observation = "Health, metrics and log"
        case ambient = "Ambient mode"
    }

    package var group: Group {
        switch self {
        case .podSource, .agentRunDirectory, .nodeName, .loggedNodeName, .podName, .podNamespace: .node
        case .excludedNamespaces: .node
        case .skipsInstallation, .primaryName, .isChained, .hasOwnedFile, .ownedFileName: .installation
        case .configurationDirectory, .programDirectory, .programSource, .isGroupReadable: .installation
        case .backend, .nativeNFTables, .waitSeconds: .redirection
        case .repairs, .repairsPods, .deletesPods, .labelsPods, .brokenLabelKey, .brokenLabelValue: .repair
        case .repairNodeName, .sidecarAnnotation, .validationName, .validationMessage: .repair
        case .validationExitCode, .labelSelectors, .fieldSelectors, .processDirectory: .repair
        case .serverHost, .serverPort, .serverProtocol, .serviceAccountDirectory: .server
        case .healthPort, .monitoringPort, .logLevels, .logsJSON: .observation
        case .isAmbient, .retriesAmbientDetection: .ambient
        }
    }

    package var form: SettingForm {
        switch self {
        case .podSource: .podSource
        case .agentRunDirectory, .configurationDirectory, .programDirectory, .programSource: .directory
        case .processDirectory, .serviceAccountDirectory: .directory
        case .primaryName: .fileName(endings: [])
        case .ownedFileName: .fileName(endings: [".conflist"])
        case .skipsInstallation, .isChained, .hasOwnedFile, .isGroupReadable, .nativeNFTables: .boolean
        case .repairs, .repairsPods, .deletesPods, .labelsPods, .logsJSON: .boolean
        case .isAmbient, .retriesAmbientDetection: .boolean
        case .backend: .choice(["auto", "nftables", "iptables"])
        case .serverProtocol: .choice(["https", "http"])
        case .waitSeconds: .number(0...CNIConfiguration.longestAgentWaitSeconds)
        case .validationExitCode: .number(0...255)
        case .serverPort: .number(1...65_535)
        case .healthPort, .monitoringPort: .portOrNone
        case .excludedNamespaces: .names
        case .logLevels: .logLevels
        case .nodeName, .loggedNodeName, .podName, .podNamespace, .serverHost, .repairNodeName: .text
        case .brokenLabelKey, .brokenLabelValue, .sidecarAnnotation, .validationName: .text
        case .validationMessage: .text
        case .labelSelectors: .labelSelector
        case .fieldSelectors: .fieldSelector
        }
    }

    /// What holds where nothing is set.
    package var defaultValue: String {
        switch self {
        case .podSource: "api"
        case .agentRunDirectory: "/var/run/istio-cni"
        case .isChained, .repairs: "true"
        case .configurationDirectory: "/host/etc/cni/net.d"
        case .programDirectory: "/host/opt/cni/bin"
        case .programSource: "/opt/cni/bin"
        case .backend: "auto"
        case .waitSeconds: "20"
        case .brokenLabelKey: "cni.istio.io/uninitialized"
        case .brokenLabelValue: "true"
        case .sidecarAnnotation: "sidecar.istio.io/status"
        case .validationName: "istio-validation"
        case .validationExitCode: "126"
        case .processDirectory: "/host/proc"
        case .serverProtocol: "https"
        case .serviceAccountDirectory: "/var/run/secrets/kubernetes.io/serviceaccount"
        case .healthPort: "8000"
        case .monitoringPort: "15014"
        case .logLevels: "default:info"
        default: form == .boolean ? "false" : ""
        }
    }
}

// MARK: - Names

extension AgentSetting {
    /// The flag without its dashes; nil where only the environment says it.
    package var flag: String? { rawValue.first?.isUppercase == true ? nil : rawValue }

    /// The environment variables, of which the first that is set counts.
    package var variables: [String] {
        switch self {
        // As upstream's: the flags about the log have no variable.
        case .logLevels, .logsJSON: []
        // The official chart sends the second name, which upstream's agent does not read.
        case .ownedFileName: ["ISTIO_OWNED_CNI_CONFIG_FILENAME", "ISTIO_OWNED_CNI_CONF_FILENAME"]
        default: [Self.variable(of: rawValue)]
        }
    }

    /// `cni-conf-name` as a variable: `CNI_CONF_NAME`.
    static func variable(of flag: String) -> String {
        String(flag.uppercased().map { character in character == "-" ? "_" : character })
    }

    /// Those that are set by a flag or a variable of this name.
    package static let byFlag: [String: AgentSetting] = {
        Dictionary(uniqueKeysWithValues: allCases.compactMap { setting in setting.flag.map { ($0, setting) } })
    }()

    package static let allVariables: Set<String> = Set(allCases.flatMap { setting in setting.variables })

    /// As a person knows it, for an error that is not about a value that was given.
    package var name: String { flag.map { flag in "--\(flag)" } ?? rawValue }
}
