/// A setting of upstream's agent, or of its chart, that is accepted and has no effect here.
package struct IdleSetting: Equatable, Sendable {
    /// As a flag without its dashes, or as a variable.
    package let name: String
    package let reason: String

    /// Whether the flag stands alone, so that the word after it is not its value.
    package let isSwitch: Bool

    private init(_ name: String, _ reason: String, isSwitch: Bool = false) {
        self.name = name
        self.reason = reason
        self.isSwitch = isSwitch
    }

    package var isFlag: Bool { name.first?.isUppercase == false }

    /// The variable of the same meaning, where there is one.
    package var variable: String? {
        if !isFlag { return name }
        return name.contains("_") ? nil : AgentSetting.variable(of: name)
    }

    package static let all: [IdleSetting] = upstreamsDead + credentials + log + ambient + rules + chart

    package static let byFlag: [String: IdleSetting] = {
        Dictionary(uniqueKeysWithValues: all.filter { setting in setting.isFlag }.map { ($0.name, $0) })
    }()

    package static let byVariable: [String: IdleSetting] = {
        Dictionary(uniqueKeysWithValues: all.compactMap { setting in setting.variable.map { ($0, setting) } })
    }()

    private static let upstreamsDead = [
        IdleSetting("cni-network-config", "upstream does not read it either"),
        IdleSetting("cni-network-config-file", "upstream does not read it either"),
        IdleSetting("log-level", "upstream does not read it either; --log_output_level does this"),
    ]

    private static let credentials = [
        IdleSetting("kubeconfig-mode", noKubeconfig),
        IdleSetting("kube-ca-file", noKubeconfig),
        IdleSetting("skip-tls-verify", noKubeconfig, isSwitch: true),
        IdleSetting("KUBECONFIG", "the agent uses its service account"),
    ]

    private static let noKubeconfig = "no kubeconfig is written: the plugin holds no credential"

    private static let log = [
        IdleSetting("log_target", "the log goes to standard error"),
        IdleSetting("log_caller", "lines name no source file"),
        IdleSetting("log_stacktrace_level", "lines have no stack"),
        IdleSetting("log_rotate", notRotated),
        IdleSetting("log_rotate_max_age", notRotated),
        IdleSetting("log_rotate_max_backups", notRotated),
        IdleSetting("log_rotate_max_size", notRotated),
        IdleSetting("ctrlz_port", noIntrospection),
        IdleSetting("ctrlz_address", noIntrospection),
    ]

    private static let notRotated = "the log goes to standard error, which the kubelet rotates"
    private static let noIntrospection = "there is no introspection server; install-cni status and bypass tell"

    private static let ambient = [
        IdleSetting("ztunnel-uds-address", ofAmbient),
        IdleSetting("AMBIENT_ENABLEMENT_SELECTOR", ofAmbient),
        IdleSetting("AMBIENT_DNS_CAPTURE", ofAmbient),
        IdleSetting("AMBIENT_IPV6", ofAmbient),
        IdleSetting("AMBIENT_DISABLE_SAFE_UPGRADE", ofAmbient),
        IdleSetting("AMBIENT_RECONCILE_POD_RULES_ON_STARTUP", ofAmbient),
        IdleSetting("AMBIENT_USE_SCOPED_XTABLES_LOCKING", ofAmbient),
        IdleSetting("AMBIENT_ENABLE_AWS_BRANCH_ENI_PROBE", ofAmbient),
        IdleSetting("HOST_PROBE_SNAT_IP", ofAmbient),
        IdleSetting("HOST_PROBE_SNAT_IPV6", ofAmbient),
        IdleSetting("ALLOW_SWITCH_TO_HOST_NS", ofAmbient),
        IdleSetting("SYSTEM_NAMESPACE", ofAmbient),
    ]

    private static let ofAmbient = "part of ambient mode, which is not built yet"

    private static let rules = [
        IdleSetting("FORCE_IPTABLES_BINARY", "of ambient mode upstream; REDIRECT_BACKEND chooses the back-end"),
        IdleSetting("DRY_RUN_FILE_PATH", "the agent has no dry run; istio-iptables --dry-run prints rules"),
        IdleSetting("ISTIO_OUTBOUND_OWNER_GROUPS", samePlan),
        IdleSetting("ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE", samePlan),
        IdleSetting("ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR", samePlan),
    ]

    private static let samePlan = "ADD and repair make the same rules, from the pod alone"

    private static let chart = [
        IdleSetting("CURRENT_AGENT_VERSION", "the agent knows its version"),
        IdleSetting("REPAIR_RUN_AS_DAEMON", "repair is a part of the agent"),
        IdleSetting("REVISION", "nothing depends on it"),
        IdleSetting("GOMEMLIMIT", "a setting of the Go runtime, which is not here"),
    ]
}
