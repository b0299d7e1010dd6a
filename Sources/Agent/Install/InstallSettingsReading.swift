extension InstallSettings {
    /// What the agent's flags and environment ask for.
    package init(_ configuration: AgentConfiguration) {
        let install = configuration.install
        self.init()
        configurationDirectory = install.configurationDirectory
        binarySource = "\(install.programSource)/\(PluginEntry.type)"
        binaryDirectory = install.programDirectory
        configurationName = install.primaryName ?? ""
        isChained = install.isChained
        ownsConfiguration = install.ownedFileName != nil
        ownedName = install.ownedFileName ?? Self.defaultOwnedName
        groupMayRead = install.isGroupReadable
        entry = PluginEntry(configuration)
    }
}

extension PluginEntry {
    fileprivate init(_ configuration: AgentConfiguration) {
        self.init()
        logLevel = configuration.log.levels.word(of: LogScope.plugin)
        runDirectory = configuration.node.runDirectory
        isAmbientEnabled = configuration.ambient.isEnabled
        excludedNamespaces = configuration.node.excludedNamespaces
        podNamespace = configuration.node.podNamespace
        wantsNFTables = configuration.redirection.isNativeNFTables
        retriesAmbientDetection = configuration.ambient.retriesDetection
        nodeName = configuration.node.name
        agentWaitSeconds = configuration.redirection.waitSeconds
    }
}
