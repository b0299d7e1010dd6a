import Testing

@testable import Agent

@Suite struct AgentConfigurationTests {
    /// What every pod of a cluster gets.
    static let cluster = [
        "NODE_NAME": "worker", "KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443",
    ]

    static func configuration(
        _ environment: [String: String] = [:],
        _ arguments: [AgentSetting: String] = [:],
        otherFlags: [String] = []
    ) throws -> AgentConfiguration {
        try AgentConfiguration(
            arguments: arguments,
            otherFlags: otherFlags,
            environment: cluster.merging(environment) { _, new in new }
        )
    }

    static func problems(_ environment: [String: String] = [:], _ arguments: [AgentSetting: String] = [:]) -> [String] {
        do {
            _ = try configuration(environment, arguments)
            return []
        } catch {
            return (error as? AgentConfiguration.Failure)?.problems ?? ["\(error)"]
        }
    }

    @Test func `without settings the defaults of upstream hold`() throws {
        let configuration = try Self.configuration()

        #expect(configuration.podSource == .server)
        #expect(configuration.node.runDirectory == "/var/run/istio-cni")
        #expect(configuration.node.name == "worker")
        #expect(configuration.node.excludedNamespaces == [])
        #expect(configuration.redirection == .init(backend: .auto, isNativeNFTables: false, waitSeconds: 20))
        #expect(configuration.install.isChained && !configuration.install.isSkipped)
        #expect(configuration.install.primaryName == nil && configuration.install.ownedFileName == nil)
        #expect(configuration.install.configurationDirectory == "/host/etc/cni/net.d")
        #expect(configuration.install.programDirectory == "/host/opt/cni/bin")
        #expect(configuration.install.programSource == "/opt/cni/bin")
        #expect(!configuration.install.isGroupReadable)
        #expect(configuration.repair.mode == .off)
        #expect(configuration.repair.brokenLabelKey == "cni.istio.io/uninitialized")
        #expect(configuration.repair.sidecarAnnotation == "sidecar.istio.io/status")
        #expect(configuration.repair.validationName == "istio-validation")
        #expect(configuration.repair.validationMessage == nil)
        #expect(configuration.repair.validationExitCode == 126)
        #expect(configuration.server.host == "10.96.0.1")
        #expect(configuration.server.port == 443 && configuration.server.isEncrypted)
        #expect(configuration.ports == .init(health: 8_000, monitoring: 15_014))
        #expect(configuration.log.format == .text)
        #expect(configuration.log.levels.word(of: LogScope.plugin) == "info")
        #expect(configuration.ambient == .init(isEnabled: false, retriesDetection: false))
        #expect(configuration.idle == .init())
    }

    @Test(arguments: AgentSetting.allCases.filter { setting in setting.flag != nil && !setting.variables.isEmpty })
    func `a flag wins over its variable, and that over the default`(setting: AgentSetting) throws {
        let variable = try #require(setting.variables.first)
        var reader = SettingReader(arguments: [:], environment: [variable: Self.sample(setting.form, 1)])
        var typed = SettingReader(
            arguments: [setting: Self.sample(setting.form, 2)],
            environment: [variable: Self.sample(setting.form, 1)]
        )
        var absent = SettingReader(arguments: [:], environment: [:])

        #expect(reader.text(setting) == Self.sample(setting.form, 1))
        #expect(typed.text(setting) == Self.sample(setting.form, 2))
        #expect(absent.text(setting) == setting.defaultValue)
    }

    /// One of two good values of a form.
    private static func sample(_ form: SettingForm, _ number: Int) -> String {
        switch form {
        case .text, .names: "word\(number)"
        case .boolean: number == 1 ? "true" : "0"
        case .number, .portOrNone: "\(number)"
        case .choice(let words): words[number - 1]
        case .directory: "/directory/\(number)"
        case .fileName(let endings): "name\(number)\(endings.first ?? "")"
        case .podSource: "directory:/\(number)"
        case .logLevels: number == 1 ? "default:debug" : "default:none"
        case .labelSelector: "label\(number)"
        case .fieldSelector: "metadata.name=pod\(number)"
        }
    }

    @Test(arguments: AgentSetting.allCases)
    func `a default is a value of its form, or nothing`(setting: AgentSetting) {
        #expect(setting.defaultValue.isEmpty || setting.form.accepts(setting.defaultValue))
    }

    @Test func `a variable that is set to nothing is false, 0 or nothing`() throws {
        let configuration = try Self.configuration([
            "CHAINED_CNI_PLUGIN": "", "REPAIR_ENABLED": "", "REPAIR_REPAIR_PODS": "true", "MONITORING_PORT": "",
            "AGENT_WAIT_SECONDS": "", "REPAIR_INIT_CONTAINER_EXIT_CODE": "", "REPAIR_INIT_CONTAINER_NAME": "",
            "REPAIR_SIDECAR_ANNOTATION": "", "CNI_CONF_NAME": "", "REDIRECT_BACKEND": "", "EXCLUDE_NAMESPACES": "",
        ])

        #expect(!configuration.install.isChained)
        #expect(configuration.install.primaryName == nil)
        #expect(configuration.repair.mode == .off)
        #expect(configuration.repair.validationExitCode == nil && configuration.repair.validationName == nil)
        #expect(configuration.repair.sidecarAnnotation == nil)
        #expect(configuration.ports.monitoring == nil)
        #expect(configuration.redirection.waitSeconds == 0 && configuration.redirection.backend == .auto)
    }

    @Test(arguments: [
        ("CHAINED_CNI_PLUGIN", "yes", #""yes"; expected true or false"#),
        ("MONITORING_PORT", "http", #""http"; expected a port 1-65535, or 0 or less for none"#),
        ("MONITORING_PORT", "65536", #""65536"; expected a port 1-65535"#),
        ("AGENT_WAIT_SECONDS", "20s", #""20s"; expected a number 0-600"#),
        ("AGENT_WAIT_SECONDS", "601", #""601"; expected a number 0-600"#),
        ("REPAIR_INIT_CONTAINER_EXIT_CODE", "256", #""256"; expected a number 0-255"#),
        ("REDIRECT_BACKEND", "ipvs", #""ipvs"; expected auto, nftables or iptables"#),
        ("CNI_AGENT_RUN_DIR", "run", #""run"; expected an absolute path of at most 4095 bytes"#),
        (
            "CNI_CONF_NAME", "../x.conf",
            #""../x.conf"; expected a file name, without a directory"#
        ),
        ("CNI_CONF_NAME", "..", #"".."; expected a file name"#),
        ("ISTIO_OWNED_CNI_CONF_FILENAME", "1.conf", #""1.conf"; expected a file name"#),
        ("POD_SOURCE", "file:/x", #""file:/x"; expected api, or directory:PATH"#),
        ("KUBERNETES_SERVICE_PORT", "0", #""0"; expected a number 1-65535"#),
        ("NATIVE_NFTABLES", "on", #""on"; expected true or false"#),
        (
            "REPAIR_LABEL_SELECTORS", "app=cart,tier>3",
            #""app=cart,tier>3", but ">" stands where =, ==, !=, in, notin, a comma or the end is expected; expected terms"#
        ),
        (
            "REPAIR_FIELD_SELECTORS", "spec.restartPolicy=Always",
            #""spec.restartPolicy=Always", but "spec.restartPolicy" stands where one of metadata.name, metadata.namespace, "#
                + "spec.nodeName, status.phase is expected; expected terms"
        ),
    ])
    func `a value that cannot be read is named with what would be accepted`(
        variable: String,
        value: String,
        problem: String
    ) {
        let problems = Self.problems([variable: value])

        #expect(problems.first?.hasPrefix("\(variable) is \(problem)") == true, "\(problems)")
    }

    @Test func `a flag that cannot be read is named as a flag, and every mistake at once`() {
        let problems = Self.problems(
            ["REDIRECT_BACKEND": "ipvs"],
            [.isChained: "maybe", .logLevels: "loud"]
        )

        #expect(problems.count == 3)
        #expect(problems.contains { problem in problem.hasPrefix(#"--chained-cni-plugin is "maybe"; expected "#) })
        #expect(problems.contains { problem in problem.hasPrefix(#"--log_output_level is "loud"; expected "#) })
    }

    @Test(arguments: [
        ["REPAIR_NODE_NAME": "other"],
        ["ISTIO_OWNED_CNI_CONFIG": "true", "CHAINED_CNI_PLUGIN": "false"],
        ["ISTIO_OWNED_CNI_CONFIG": "true", "CNI_CONF_NAME": "02-istio-cni.conflist"],
        ["MONITORING_PORT": "8000"],
        ["MOUNTED_CNI_BIN_DIR": "/opt/cni/bin"],
        ["POD_SOURCE": "directory:/x", "REPAIR_DELETE_PODS": "true"],
        ["REPAIR_LABEL_PODS": "true", "REPAIR_BROKEN_POD_LABEL_KEY": ""],
        ["NODE_NAME": ""],
        ["KUBERNETES_SERVICE_HOST": ""],
        ["KUBERNETES_SERVICE_PORT": ""],
        ["CNI_AGENT_RUN_DIR": ""],
    ])
    func `settings that cannot work are refused`(environment: [String: String]) {
        let problems = Self.problems(environment)

        #expect(problems.count == 1, "\(problems)")
    }

    @Test func `pods from a directory need no cluster`() throws {
        let configuration = try AgentConfiguration(environment: ["POD_SOURCE": "directory:/srv/pods"])

        #expect(configuration.podSource == .directory("/srv/pods"))
        #expect(configuration.node.name.isEmpty)
        #expect(configuration.ports == .init(health: nil, monitoring: nil))
    }

    @Test func `pods from a directory are observed where a port is asked for`() throws {
        let configuration = try AgentConfiguration(
            arguments: [.healthPort: "8001"],
            environment: ["POD_SOURCE": "directory:/srv/pods", "MONITORING_PORT": "15015"]
        )

        #expect(configuration.ports == .init(health: 8_001, monitoring: 15_015))
    }

    @Test(
        arguments: [
            (["ISTIO_OWNED_CNI_CONFIG": "true"], "02-istio-cni.conflist"),
            (["ISTIO_OWNED_CNI_CONFIG": "true", "ISTIO_OWNED_CNI_CONF_FILENAME": "01-a.conflist"], "01-a.conflist"),
            (["ISTIO_OWNED_CNI_CONFIG": "true", "ISTIO_OWNED_CNI_CONFIG_FILENAME": "01-b.conflist"], "01-b.conflist"),
            (
                [
                    "ISTIO_OWNED_CNI_CONFIG": "true", "ISTIO_OWNED_CNI_CONF_FILENAME": "01-a.conflist",
                    "ISTIO_OWNED_CNI_CONFIG_FILENAME": "01-b.conflist",
                ], "01-b.conflist"
            ),
            (["ISTIO_OWNED_CNI_CONFIG_FILENAME": "01-b.conflist"], nil),
        ] as [([String: String], String?)]
    )
    func `the owned file's name is read in both spellings`(environment: [String: String], name: String?) throws {
        #expect(try Self.configuration(environment).install.ownedFileName == name)
    }

    @Test(
        arguments: [
            ([:], .off),
            (["REPAIR_LABEL_PODS": "true"], .label),
            (["REPAIR_LABEL_PODS": "true", "REPAIR_DELETE_PODS": "true"], .delete),
            (["REPAIR_LABEL_PODS": "true", "REPAIR_DELETE_PODS": "true", "REPAIR_REPAIR_PODS": "true"], .repair),
            (["REPAIR_REPAIR_PODS": "true", "REPAIR_ENABLED": "false"], .off),
        ] as [([String: String], RepairSettings.Mode)]
    )
    func `of the modes of repair the strongest wins`(
        environment: [String: String],
        mode: RepairSettings.Mode
    ) throws {
        #expect(try Self.configuration(environment).repair.mode == mode)
    }

    @Test(arguments: [
        (["REPAIR_NODE_NAME": ""], "worker"),
        (["NODE_NAME": "", "REPAIR_NODE_NAME": "other"], "other"),
        (["NODE_NAME": "", "KUBERNETES_NODE_NAME": "third"], "third"),
    ])
    func `a node name that is empty is one that nobody said`(environment: [String: String], name: String) throws {
        #expect(try Self.configuration(environment).node.name == name)
    }

    @Test func `namespaces are trimmed, and empty ones dropped`() throws {
        let configuration = try Self.configuration(["EXCLUDE_NAMESPACES": " kube-system, ,a,"])

        #expect(configuration.node.excludedNamespaces == ["kube-system", "a"])
    }

    @Test func `the level of the plugin's scope alone reaches the plugin`() throws {
        let configuration = try Self.configuration([:], [.logLevels: "cni-plugin:debug"])

        #expect(configuration.log.levels.word(of: LogScope.plugin) == "debug")
        #expect(configuration.log.levels.word(of: LogScope.agent) == "info")
    }

    @Test func `installation and repair get what was set`() throws {
        let configuration = try Self.configuration(
            [
                "CNI_CONF_NAME": "10-x.conflist", "ISTIO_OWNED_CNI_CONFIG": "true", "CNI_BIN_SOURCE_DIR": "/image",
                "EXCLUDE_NAMESPACES": "a,b", "POD_NAMESPACE": "mesh", "AGENT_WAIT_SECONDS": "7",
                "REPAIR_LABEL_PODS": "true", "REPAIR_INIT_CONTAINER_EXIT_CODE": "", "CNI_CONF_GROUP_READ": "1",
                "REPAIR_LABEL_SELECTORS": "app", "REPAIR_FIELD_SELECTORS": "status.phase=Running",
            ],
            [.logLevels: "cni-plugin:debug"]
        )

        let install = InstallSettings(configuration)
        let repair = RepairSettings(configuration)

        #expect(install.configurationName == "10-x.conflist" && install.ownsConfiguration && install.isChained)
        #expect(install.binarySource == "/image/istio-cni" && install.groupMayRead)
        #expect(install.entry.logLevel == "debug" && install.entry.nodeName == "worker")
        #expect(install.entry.excludedNamespaces == ["a", "b"] && install.entry.podNamespace == "mesh")
        #expect(install.entry.agentWaitSeconds == 7)
        #expect(repair.mode == .label && repair.exitCode == 0 && repair.excludedNamespaces == ["a", "b"])
        #expect(try repair.labels == LabelSelector("app") && repair.fields == FieldSelector("status.phase=Running"))
        #expect(repair.nodeName == "worker" && repair.keptNames.contains("app"))
    }

    @Test func `what has no effect is named once, and what is misspelt too`() throws {
        let configuration = try Self.configuration(
            [
                "AMBIENT_IPV6": "true", "LOG_LEVEL": "debug", "REPAIR_DELTE_PODS": "true", "HOME": "/",
                "CNI_METRICS_SERVICE_HOST": "10.0.0.1", "CNI_METRICS_PORT_80_TCP": "tcp://10.0.0.1:80",
            ],
            otherFlags: ["log_target", "ctrlz_port", "kubeconfig-mode", "new-thing"]
        )

        #expect(
            configuration.idle.known
                == ["--log_target", "--ctrlz_port", "--kubeconfig-mode", "AMBIENT_IPV6", "LOG_LEVEL"]
        )
        #expect(configuration.idle.unknown == ["--new-thing", "REPAIR_DELTE_PODS"])
    }

    @Test func `no setting has two meanings`() {
        let variables = AgentSetting.allCases.flatMap { setting in setting.variables }
        let idle = IdleSetting.all.compactMap { setting in setting.variable }

        #expect(Set(variables).count == variables.count)
        #expect(Set(idle).isDisjoint(with: variables))
        #expect(Set(idle).count == idle.count)
    }

    @Test func `the environment is read as the kernel has it`() throws {
        let text = "A=1\0B=\0C=x=y\0A=2\0odd\0"

        #expect(ProcessEnvironment.parse(Array(text.utf8)) == ["A": "1", "B": "", "C": "x=y"])
        #expect(try ProcessEnvironment.all()["PATH"] != nil)
    }
}
