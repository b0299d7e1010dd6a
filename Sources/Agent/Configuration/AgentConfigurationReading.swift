internal import Redirect

extension AgentConfiguration {
    /// Reads a configuration.
    ///
    /// - Parameters:
    ///   - arguments: What was typed, which wins.
    ///   - otherFlags: What was typed and is none of ``AgentSetting``, without dashes.
    ///   - environment: All of it.
    /// - Throws: Every setting that cannot be followed.
    package init(
        arguments: [AgentSetting: String] = [:],
        otherFlags: [String] = [],
        environment: [String: String]
    ) throws(Failure) {
        var reader = SettingReader(arguments: arguments, environment: environment)
        podSource = Self.podSource(&reader)
        node = Node(&reader)
        redirection = Redirection(&reader)
        install = Install(&reader)
        repair = Repair(&reader)
        server = Server(&reader)
        ports = Ports(&reader, isInCluster: podSource == .server)
        log = Log(&reader)
        ambient = Ambient(&reader)
        idle = Idle(flags: otherFlags, environment: environment)
        noteContradictions(&reader)
        guard reader.problems.isEmpty else { throw Failure(problems: reader.problems) }
    }

    private static func podSource(_ reader: inout SettingReader) -> PodSource {
        PodSource(reader.text(.podSource)) ?? .server
    }

    /// Notes what cannot work, so that it is refused at the start and not found out on the node.
    private func noteContradictions(_ reader: inout SettingReader) {
        let repairNode = reader.text(.repairNodeName)
        if !repairNode.isEmpty, !node.name.isEmpty, repairNode != node.name {
            reader.note(
                "\(AgentSetting.repairNodeName.name) is \(ShortenedText(repairNode).description), but this node is "
                    + "\(ShortenedText(node.name).description); an agent repairs the pods of its own node only"
            )
        }
        if reader.isOn(.hasOwnedFile), !install.isChained {
            reader.note(
                "--istio-owned-cni-config needs --chained-cni-plugin: the owned file is a copy of the primary's "
                    + "with the plugin chained to it"
            )
        }
        if let owned = install.ownedFileName, owned == install.primaryName {
            reader.note("--cni-conf-name and the owned file are both \(ShortenedText(owned).description)")
        }
        if let health = ports.health, health == ports.monitoring {
            reader.note("--health-port and --monitoring-port are both \(health)")
        }
        if install.programDirectory == install.programSource {
            reader.note("--mounted-cni-bin-dir and --cni-bin-source-dir are the same directory")
        }
        switch podSource {
        case .server: noteWhatServerLacks(&reader)
        case .directory:
            if repair.mode == .delete || repair.mode == .label {
                reader.note("repair by \(repair.mode.rawValue) needs the API server; --pod-source has pods from files")
            }
        }
    }

    private func noteWhatServerLacks(_ reader: inout SettingReader) {
        if node.name.isEmpty {
            reader.note("NODE_NAME is not set; the agent needs it to know which pods are its own")
        }
        if server.host.isEmpty {
            reader.note("KUBERNETES_SERVICE_HOST is not set; it is the API server's address, which every pod gets")
        }
        if !reader.isSet(.serverPort) || server.port == 0 {
            reader.note("KUBERNETES_SERVICE_PORT is not set; it is the API server's port, which every pod gets")
        }
    }
}

extension AgentConfiguration.Node {
    fileprivate init(_ reader: inout SettingReader) {
        runDirectory = reader.text(.agentRunDirectory)
        // Upstream's repair looks at unscheduled pods where its node has no name.
        let names = [reader.text(.nodeName), reader.text(.repairNodeName), reader.text(.loggedNodeName)]
        name = names.first { name in !name.isEmpty } ?? ""
        podName = reader.text(.podName)
        podNamespace = reader.text(.podNamespace)
        excludedNamespaces = reader.names(.excludedNamespaces)
    }
}

extension AgentConfiguration.Redirection {
    fileprivate init(_ reader: inout SettingReader) {
        backend = BackendSetting(rawValue: reader.text(.backend)) ?? .auto
        isNativeNFTables = reader.isOn(.nativeNFTables)
        waitSeconds = reader.number(.waitSeconds)
    }
}

extension AgentConfiguration.Install {
    fileprivate init(_ reader: inout SettingReader) {
        isSkipped = reader.isOn(.skipsInstallation)
        primaryName = reader.text(.primaryName).nonEmpty
        isChained = reader.isOn(.isChained)
        let ownedName = reader.text(.ownedFileName).nonEmpty ?? Self.usualOwnedFileName
        ownedFileName = reader.isOn(.hasOwnedFile) ? ownedName : nil
        configurationDirectory = reader.text(.configurationDirectory)
        programDirectory = reader.text(.programDirectory)
        programSource = reader.text(.programSource)
        isGroupReadable = reader.isOn(.isGroupReadable)
    }

    /// It sorts before what primary CNIs use, `05-` and `10-`.
    private static let usualOwnedFileName = "02-istio-cni.conflist"
}

extension AgentConfiguration.Repair {
    fileprivate init(_ reader: inout SettingReader) {
        let isOn = reader.isOn(.repairs)
        let modes: [(Mode, Bool)] = [
            (.repair, reader.isOn(.repairsPods)), (.delete, reader.isOn(.deletesPods)),
            (.label, reader.isOn(.labelsPods)),
        ]
        mode = isOn ? modes.first { mode in mode.1 }?.0 ?? .off : .off
        brokenLabelKey = reader.text(.brokenLabelKey)
        brokenLabelValue = reader.text(.brokenLabelValue)
        sidecarAnnotation = reader.text(.sidecarAnnotation).nonEmpty
        validationName = reader.text(.validationName).nonEmpty
        validationMessage = reader.text(.validationMessage).nonEmpty
        let code = reader.number(.validationExitCode)
        validationExitCode = code == 0 ? nil : code
        // What is none the reader has refused, and said so.
        labels = (try? LabelSelector(reader.text(.labelSelectors))) ?? LabelSelector()
        fields = (try? FieldSelector(reader.text(.fieldSelectors))) ?? FieldSelector()
        processDirectory = reader.text(.processDirectory)
        if mode == .label, brokenLabelKey.isEmpty {
            reader.note("--repair-broken-pod-label-key is empty, and repair is to label pods with it")
        }
    }
}

extension AgentConfiguration.Server {
    fileprivate init(_ reader: inout SettingReader) {
        host = reader.text(.serverHost)
        port = reader.number(.serverPort)
        isEncrypted = reader.text(.serverProtocol) != "http"
        serviceAccountDirectory = reader.text(.serviceAccountDirectory)
    }
}

extension AgentConfiguration.Ports {
    /// - Parameters:
    ///   - reader: The settings.
    ///   - isInCluster: Where pods come from files nobody probes or scrapes unless somebody asked for it, and a port
    ///     of a developer's machine that is taken would be in the way.
    fileprivate init(_ reader: inout SettingReader, isInCluster: Bool) {
        health = Self.port(.healthPort, &reader, isInCluster: isInCluster)
        monitoring = Self.port(.monitoringPort, &reader, isInCluster: isInCluster)
    }

    private static func port(_ setting: AgentSetting, _ reader: inout SettingReader, isInCluster: Bool) -> Int? {
        let port = reader.number(setting)
        return port > 0 && (isInCluster || reader.isSet(setting)) ? port : nil
    }
}

extension AgentConfiguration.Log {
    fileprivate init(_ reader: inout SettingReader) {
        do throws(LogLevels.Failure) {
            levels = try LogLevels(reader.text(.logLevels))
        } catch {
            // The reader has refused it, and said so.
            levels = LogLevels()
        }
        format = reader.isOn(.logsJSON) ? .json : .text
    }
}

extension AgentConfiguration.Ambient {
    fileprivate init(_ reader: inout SettingReader) {
        isEnabled = reader.isOn(.isAmbient)
        retriesDetection = reader.isOn(.retriesAmbientDetection)
    }
}

extension AgentConfiguration.Idle {
    /// - Parameters:
    ///   - flags: Those that are no settings, without dashes.
    ///   - environment: Only names that look like ours can be unknown: the rest belongs to others.
    fileprivate init(flags: [String], environment: [String: String]) {
        for flag in flags {
            if IdleSetting.byFlag[flag] != nil {
                known.append("--\(flag)")
            } else {
                unknown.append("--\(flag)")
            }
        }
        for name in environment.keys.sorted() where !AgentSetting.allVariables.contains(name) {
            if IdleSetting.byVariable[name] != nil {
                known.append(name)
            } else if Self.looksLikeOurs(name), !Self.isServiceLink(name) {
                unknown.append(name)
            }
        }
        unknown = unknown.prefix(Self.mostNames).map { name in String(name.prefix(Self.longestNameCharacters)) }
    }

    /// One line of the log stays readable.
    private static let mostNames = 50
    private static let longestNameCharacters = 100

    private static func looksLikeOurs(_ name: String) -> Bool { prefixes.contains { prefix in name.hasPrefix(prefix) } }

    private static let prefixes = [
        "AGENT_", "AMBIENT_", "CHAINED_CNI_", "CNI_", "ISTIO_OWNED_CNI_", "MOUNTED_CNI_", "REDIRECT_", "REPAIR_",
    ]

    /// The kubelet adds such variables for each Service of the namespace.
    private static func isServiceLink(_ name: String) -> Bool {
        name.hasSuffix("_SERVICE_HOST") || name.contains("_SERVICE_PORT") || name.hasSuffix("_PORT")
            || name.contains("_PORT_")
    }
}

extension String {
    /// Nil where an empty text stands for something else.
    fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}
