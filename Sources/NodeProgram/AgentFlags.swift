import Agent
import ArgumentParser

/// The flags of the agent, by what they are about; names, defaults and help are those of `AgentSetting`.
struct AgentFlags: ParsableArguments {
    @OptionGroup(title: AgentSetting.Group.node.rawValue) var node: NodeFlags
    @OptionGroup(title: AgentSetting.Group.installation.rawValue) var installation: InstallationFlags
    @OptionGroup(title: AgentSetting.Group.repair.rawValue) var repair: RepairFlags
    @OptionGroup(title: AgentSetting.Group.server.rawValue) var server: ServerFlags
    @OptionGroup(title: AgentSetting.Group.observation.rawValue) var observation: ObservationFlags
    @OptionGroup(title: AgentSetting.Group.ambient.rawValue) var ambient: AmbientFlags

    /// What was typed.
    var arguments: [AgentSetting: String] {
        let typed = node.typed + installation.typed + repair.typed + server.typed + observation.typed + ambient.typed
        return Dictionary(uniqueKeysWithValues: typed.compactMap { setting, value in value.map { (setting, $0) } })
    }
}

struct NodeFlags: ParsableArguments {
    @Option(.podSource) var podSource: String?
    @Option(.agentRunDirectory) var runDirectory: String?

    var typed: [(AgentSetting, String?)] { [(.podSource, podSource), (.agentRunDirectory, runDirectory)] }
}

struct InstallationFlags: ParsableArguments {
    @Option(.skipsInstallation) var skipsInstallation: String?
    @Option(.primaryName) var primaryName: String?
    @Option(.isChained) var isChained: String?
    @Option(.hasOwnedFile) var hasOwnedFile: String?
    @Option(.ownedFileName) var ownedFileName: String?
    @Option(.configurationDirectory) var configurationDirectory: String?
    @Option(.programDirectory) var programDirectory: String?
    @Option(.programSource) var programSource: String?
    @Option(.isGroupReadable) var isGroupReadable: String?

    var typed: [(AgentSetting, String?)] {
        [
            (.skipsInstallation, skipsInstallation), (.primaryName, primaryName), (.isChained, isChained),
            (.hasOwnedFile, hasOwnedFile), (.ownedFileName, ownedFileName),
            (.configurationDirectory, configurationDirectory), (.programDirectory, programDirectory),
            (.programSource, programSource), (.isGroupReadable, isGroupReadable),
        ]
    }
}

struct RepairFlags: ParsableArguments {
    @Option(.repairs) var repairs: String?
    @Option(.deletesPods) var deletesPods: String?
    @Option(.labelsPods) var labelsPods: String?
    @Option(.brokenLabelKey) var brokenLabelKey: String?
    @Option(.brokenLabelValue) var brokenLabelValue: String?
    @Option(.repairNodeName) var nodeName: String?
    @Option(.sidecarAnnotation) var sidecarAnnotation: String?
    @Option(.validationName) var validationName: String?
    @Option(.validationMessage) var validationMessage: String?
    @Option(.validationExitCode) var validationExitCode: String?
    @Option(.labelSelectors) var labelSelectors: String?
    @Option(.fieldSelectors) var fieldSelectors: String?
    @Option(.processDirectory) var processDirectory: String?

    var typed: [(AgentSetting, String?)] {
        [
            (.repairs, repairs), (.deletesPods, deletesPods), (.labelsPods, labelsPods),
            (.brokenLabelKey, brokenLabelKey), (.brokenLabelValue, brokenLabelValue), (.repairNodeName, nodeName),
            (.sidecarAnnotation, sidecarAnnotation), (.validationName, validationName),
            (.validationMessage, validationMessage), (.validationExitCode, validationExitCode),
            (.labelSelectors, labelSelectors), (.fieldSelectors, fieldSelectors),
            (.processDirectory, processDirectory),
        ]
    }
}

struct ServerFlags: ParsableArguments {
    @Option(.serviceAccountDirectory) var serviceAccountDirectory: String?

    var typed: [(AgentSetting, String?)] { [(.serviceAccountDirectory, serviceAccountDirectory)] }
}

struct ObservationFlags: ParsableArguments {
    @Option(.healthPort) var healthPort: String?
    @Option(.monitoringPort) var monitoringPort: String?
    @Option(.logLevels) var logLevels: String?
    @Option(.logsJSON) var logsJSON: String?

    var typed: [(AgentSetting, String?)] {
        [
            (.healthPort, healthPort), (.monitoringPort, monitoringPort), (.logLevels, logLevels),
            (.logsJSON, logsJSON),
        ]
    }
}

struct AmbientFlags: ParsableArguments {
    @Option(.isAmbient) var isAmbient: String?
    @Option(.retriesAmbientDetection) var retriesDetection: String?

    var typed: [(AgentSetting, String?)] {
        [(.isAmbient, isAmbient), (.retriesAmbientDetection, retriesDetection)]
    }
}

extension Option where Value == String? {
    /// A flag whose value is read, and refused, with the environment's.
    ///
    /// As Go's, it takes the next word whatever that is.
    fileprivate init(_ setting: AgentSetting) {
        let notes = setting.variables + (setting.defaultValue.isEmpty ? [] : ["default: \(setting.defaultValue)"])
        self.init(
            name: .customLong(setting.rawValue),
            parsing: .unconditional,
            help: ArgumentHelp(
                "\(setting.summary). (\(notes.joined(separator: "; ")))",
                valueName: setting.form == .boolean ? SwitchValue.name : "value"
            )
        )
    }
}
