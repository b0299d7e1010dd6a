extension AgentSetting {
    /// What it is for, in a few words.
    package var summary: String {
        switch self {
        case .podSource: "Where pods come from: the API server, or a directory with one pod per .json file"
        case .agentRunDirectory: "Directory of the sockets that the plugin speaks to; the same path on the host"
        case .nodeName: "Name of this node"
        case .loggedNodeName: "Stands in for NODE_NAME where that is absent"
        case .podName: "Name of the agent's own pod"
        case .podNamespace: "Namespace of the agent's own pod"
        case .excludedNamespaces: "Namespaces whose pods are left alone"

        case .skipsInstallation: "Do not put the plugin and its configuration on the node"
        case .primaryName: "File name of the primary CNI's configuration; empty: the first valid file"
        case .isChained: "Chain the plugin behind the primary CNI; else it gets a file of its own"
        case .hasOwnedFile: "Leave the primary's file alone, and keep a copy with the plugin that sorts before it"
        case .ownedFileName: "File name of that copy; empty: 02-istio-cni.conflist"
        case .configurationDirectory: "The host's CNI configuration directory, as mounted here"
        case .programDirectory: "The host's CNI plugin directory, as mounted here"
        case .programSource: "Directory of this image that holds the plugin"
        case .isGroupReadable: "Configuration files get mode 0640, not 0600"

        case .backend: "Back-end of every plan; auto: nftables if the kernel takes the rules, else iptables"
        case .nativeNFTables: "Refuse to start where the kernel does not take the rules of nftables"
        case .waitSeconds: "How long the plugin waits for a plan; under 1 counts as 1"

        case .repairs: "Look for pods of the mesh that bypass it"
        case .repairsPods: "Put missing redirection into running pods; wins over deleting and labelling"
        case .deletesPods: "Delete pods whose validation has failed; wins over labelling"
        case .labelsPods: "Label pods whose validation has failed"
        case .brokenLabelKey: "Key of that label"
        case .brokenLabelValue: "Value of that label"
        case .repairNodeName: "Must be this node's name, if set"
        case .sidecarAnnotation: "Annotation that makes a pod one of the mesh; empty: every pod"
        case .validationName: "Name of the init container that validates; empty: any"
        case .validationMessage: "Its termination message; empty: any"
        case .validationExitCode: "Its exit code; 0: any"
        case .labelSelectors: "Repair only pods with these labels; empty: all"
        case .fieldSelectors: "Repair only pods with these fields; empty: all"
        case .processDirectory: "The host's /proc, as mounted here"

        case .serverHost: "Host of the API server, an address or a name"
        case .serverPort: "Port of the API server"
        case .serverProtocol: "Protocol of the API server"
        case .serviceAccountDirectory: "Directory of token and CA of the service account"

        case .healthPort: "Port of /healthz and /readyz; 0: none; with pods from a directory none unless set"
        case .monitoringPort: "Port of /metrics; 0: none; with pods from a directory none unless set"
        case .logLevels: "Levels by scope (default, cni-agent, cni-plugin, all): scope:level,..."
        case .logsJSON: "Write the log as JSON"

        case .isAmbient: "Not built yet: the agent writes nothing on the node, and does not become ready"
        case .retriesAmbientDetection: "Handed to the plugin, for ambient mode"
        }
    }
}
