internal import Enforcement

/// Where a node is looked at; a directory can stand for it.
struct DoctorPlaces: Sendable {
    var install: InstallSettings

    /// Whether the agent puts its plugin on the node at all.
    var installs = true
    var repairs = false

    /// The host's `/proc`, where the chart mounts it.
    var hostProcesses = "/host/proc"

    /// The `/proc` of this process.
    var ownProcesses = "/proc"

    /// Where the agent's own iptables programs are, which repair runs.
    var programDirectories = IPTablesPrograms.standardDirectories

    /// Says what nf_tables lacks.
    var probe: @Sendable () -> String? = Capability.missingFromNFTables

    init(_ install: InstallSettings) { self.install = install }

    init(_ configuration: AgentConfiguration) {
        install = InstallSettings(configuration)
        installs = !configuration.install.isSkipped
        repairs = configuration.repair.mode == .repair
        hostProcesses = configuration.repair.processDirectory
    }
}

/// What can be seen of a node from inside the agent's container: one part for each subject.
struct DoctorFacts: Sendable {
    /// Settings that cannot be followed.
    var settingProblems: [String] = []
    var agent = AgentFacts()
    var runtimes = RuntimeFacts()
    var configuration = ConfigurationFacts()
    var plugin = PluginFacts()
    var neighbours = NeighbourFacts()
    var kernel = KernelFacts()
    var rights = RightFacts()
    var leftovers = LeftoverFacts()

    init() {}

    /// Looks at the node; nothing is changed, and the kernel is asked in a namespace made for that.
    ///
    /// - Parameters:
    ///   - places: Where to look.
    ///   - settingProblems: Of the settings that could not be followed.
    init(_ places: DoctorPlaces, settingProblems: [String]) {
        let processes = NodeProcesses(places.hostProcesses)
        self.settingProblems = settingProblems
        agent = AgentFacts(places, processes)
        runtimes = RuntimeFacts(places, processes)
        configuration = ConfigurationFacts(places, agent.writes)
        plugin = PluginFacts(places)
        neighbours = NeighbourFacts(places, processes, configuration)
        kernel = KernelFacts(places, processes)
        rights = RightFacts(places, processes)
        leftovers = LeftoverFacts(places, configuration, plugin)
    }

    var findings: [DoctorReport.Finding] {
        let settings =
            settingProblems.isEmpty
            ? SettingFinding.followed.finding("all can be followed")
            : SettingFinding.wrong.finding(settingProblems.joined(separator: "; "))
        return [settings] + agent.findings + runtimes.findings(configuration) + configuration.findings
            + plugin.findings + neighbours.findings + kernel.findings + rights.findings + leftovers.findings
    }
}

package enum SettingFinding: String, FindingKind {
    case followed = "settings-followed"
    case wrong = "settings-wrong"

    package static var subject: String { "settings" }

    package var entry: FindingEntry {
        switch self {
        case .followed: FindingEntry(.good, "Every flag and variable of the agent can be followed.")
        case .wrong:
            FindingEntry(
                .bad,
                "A flag or variable of the agent has a value that it cannot follow, so the agent does not start. "
                    + "The other findings are those of the default settings.",
                "Correct the setting in the chart's values; docs/configuration.md lists them."
            )
        }
    }
}
