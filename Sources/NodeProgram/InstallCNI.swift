import Agent
import AgentProtocol
import ArgumentParser
import LinuxKernel
import Logging
import Redirect

/// `install-cni`: the agent.
struct InstallCNI: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install-cni",
        abstract: "The node agent of Istio CNI: answers the plugin istio-cni, which redirects pods.",
        discussion: """
            A flag wins over the environment variable of its name (CNI_AGENT_RUN_DIR), and that over the default.
            REDIRECT_BACKEND=nftables or iptables forces a back-end; otherwise nftables is used if the kernel takes it.

            EXAMPLES
              Serve the pods of a directory, without a cluster:
                install-cni --pod-source=directory:/srv/pods --cni-agent-run-dir=/run/istio-cni --skip-install

              Say which version this is:
                install-cni version --output json
            """,
        version: ProductVersion.text,
        subcommands: [VersionCommand.self]
    )

    @Option(help: "Where pods come from: directory:PATH, one pod per .json file.")
    var podSource: String?

    @Option(help: "Directory of the sockets that the plugin speaks to. (default: /var/run/istio-cni)")
    var cniAgentRunDir: String?

    @Flag(help: "Do not put the plugin and its configuration on the node.")
    var skipInstall = false

    @Option(
        name: .customLong("log_output_level"),
        help: "Levels by scope: scope:level,... with debug, info, warn, error, fatal, none."
    )
    var logOutputLevel = "default:info"

    @Flag(name: .customLong("log_as_json"), help: "Write the log as JSON.")
    var logAsJSON = false

    func run() async throws {
        try startLog()
        guard let text = podSource else {
            throw ValidationError(
                "--pod-source is needed: this version reads pods from directory:PATH; "
                    + "the API server as a source arrives with issue 3"
            )
        }
        guard let source = NodeAgent.PodSource(text) else {
            throw ValidationError("--pod-source is \(ShortenedText(text).description); expected directory:PATH")
        }
        guard skipInstall else {
            throw ValidationError("--skip-install is needed: this version does not install the plugin yet")
        }
        let environment = OwnProcess.environment(["CNI_AGENT_RUN_DIR", "REDIRECT_BACKEND", "NATIVE_NFTABLES"])
        let runDirectory = cniAgentRunDir ?? environment["CNI_AGENT_RUN_DIR"] ?? "/var/run/istio-cni"
        do {
            let settings = NodeAgent.Settings(
                runDirectory: runDirectory,
                podSource: source,
                backend: try BackendChoice(environment: environment),
                version: ProductVersion.text
            )
            try await NodeAgent(settings).run()
        } catch {
            Logger(label: LogScope.agent).critical("agent cannot go on", metadata: ["error": "\(error)"])
            throw ExitCode(1)
        }
    }

    private func startLog() throws {
        let levels: LogLevels
        do throws(LogLevels.Failure) {
            levels = try LogLevels(logOutputLevel)
        } catch {
            throw ValidationError("--log_output_level: \(error.description)")
        }
        let format: LineLogHandler.Format = logAsJSON ? .json : .text
        LoggingSystem.bootstrap { scope in LineLogHandler(scope: scope, levels: levels, format: format) }
    }
}
