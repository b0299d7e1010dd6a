import Agent
import AgentProtocol
import ArgumentParser
import LinuxKernel
import Logging
import Metrics
import Redirect

/// `install-cni`: the agent.
struct InstallCNI: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install-cni",
        abstract: "The node agent of Istio CNI: answers the plugin istio-cni, which redirects pods.",
        discussion: """
            A flag wins over the environment variable beside it, and that over the default. \
            A variable that is set to nothing is set: to false, to 0, or to nothing. \
            What cannot be read is refused at the start.

            \(variablesOnly)

            EXAMPLES
              Serve the pods of a directory, without a cluster:
                install-cni --pod-source=directory:/srv/pods --skip-install

              Chain the plugin into Calico's file, and log all that it does:
                install-cni --cni-conf-name=10-calico.conflist \\
                  --log_output_level=cni-plugin:debug

              See which pods of this node bypass the mesh:
                install-cni bypass

              Say which version this is:
                install-cni version --output json
            """,
        version: ProductVersion.text,
        subcommands: [
            StatusCommand.self, BypassCommand.self, DoctorCommand.self, UninstallCommand.self, VersionCommand.self,
        ]
    )

    @OptionGroup var flags: AgentFlags

    @Option(name: .customLong(AgentArguments.otherFlag), help: .hidden)
    var otherFlags: [String] = []

    /// Runs the command that the arguments ask for.
    static func run(_ arguments: [String]) async {
        let commands = configuration.subcommands.compactMap { command in command.configuration.commandName } + ["help"]
        await main(AgentArguments.prepared(arguments, commands: Set(commands)))
    }

    func run() async throws {
        let configuration = try readConfiguration()
        let logger = Self.startLog(configuration.log)
        configuration.idle.log(to: logger)
        do {
            let redirection = configuration.redirection
            let support = NFTablesSupport(runDirectory: configuration.node.runDirectory)
            var settings = NodeAgent.Settings(
                configuration: configuration,
                backend: try BackendChoice(
                    redirection.backend,
                    isNativeNFTables: redirection.isNativeNFTables,
                    missingFromNFTables: { support.missing() }
                ),
                version: ProductVersion.text
            )
            let metrics = MetricsRegistry()
            MetricsSystem.bootstrap(metrics)
            settings.metrics = metrics
            settings.watchdog = Watchdog()
            try await NodeAgent(settings).run()
        } catch {
            logger.critical("agent cannot go on", metadata: ["error": "\(error)"])
            throw ExitCode(1)
        }
    }

    /// The configuration; where it cannot be read the log says everything that is wrong, and the program ends.
    private func readConfiguration() throws -> AgentConfiguration {
        do {
            return try AgentConfiguration(
                arguments: flags.arguments,
                otherFlags: otherFlags,
                environment: try ProcessEnvironment.all()
            )
        } catch {
            // How to log may be among what cannot be read.
            let logger = Self.startLog(.ofRefusal)
            let problems = (error as? AgentConfiguration.Failure)?.problems ?? ["\(error)"]
            for problem in problems {
                logger.critical("setting cannot be followed", metadata: ["error": "\(problem)"])
            }
            throw ExitCode(1)
        }
    }

    private static func startLog(_ log: AgentConfiguration.Log) -> Logger {
        LoggingSystem.bootstrap { scope in LineLogHandler(scope: scope, levels: log.levels, format: log.format) }
        return Logger(label: LogScope.agent)
    }

    /// The settings that have no flag, for the help.
    private static var variablesOnly: String {
        let lines = AgentSetting.Group.allCases.flatMap { group in
            AgentSetting.allCases.filter { setting in setting.group == group && setting.flag == nil }.map { setting in
                let absent = setting.defaultValue.isEmpty ? "" : " (default: \(setting.defaultValue))"
                return "  \(setting.rawValue): \(setting.summary).\(absent)"
            }
        }
        return (["ONLY VARIABLES"] + lines).joined(separator: "\n")
    }
}
