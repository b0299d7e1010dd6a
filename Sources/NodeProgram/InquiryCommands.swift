import Agent
import ArgumentParser
import CNIProtocol
import LinuxKernel

/// `install-cni status`.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows the agent of this node and the state of its pods.",
        discussion: """
            Ends with 0 if the agent is ready, with 1 if it is not, with 2 if none answers. \
            --cni-agent-run-dir or CNI_AGENT_RUN_DIR says where the agent is.

            EXAMPLE
              kubectl exec -n istio-system ds/istio-cni-node -- install-cni status
            """
    )

    @ParentCommand var agent: InstallCNI
    @OptionGroup var inquiry: InquiryOptions

    @Flag(help: "List every pod, and not only those that call for something.")
    var all = false

    func run() throws {
        let report = try inquiry.report(of: agent)
        if inquiry.json {
            try inquiry.write(report.value)
        } else {
            try inquiry.write(NodeReportText(report, hasColour: inquiry.hasColour).status(showsAll: all))
        }
        guard report.isReady else { throw ExitCode(1) }
    }
}

/// `install-cni bypass`.
struct BypassCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bypass",
        abstract: "Shows the pods of this node that should go through their sidecar, and do not.",
        discussion: """
            Ends with 0 if no pod is known to bypass the mesh, with 1 if one does, with 2 if no agent answers. \
            --cni-agent-run-dir or CNI_AGENT_RUN_DIR says where the agent is.

            EXAMPLE
              kubectl exec -n istio-system ds/istio-cni-node -- install-cni bypass --json
            """
    )

    @ParentCommand var agent: InstallCNI
    @OptionGroup var inquiry: InquiryOptions

    func run() throws {
        let report = try inquiry.report(of: agent)
        if inquiry.json {
            try inquiry.write(report.bypassValue)
        } else {
            try inquiry.write(NodeReportText(report, hasColour: inquiry.hasColour).bypass)
        }
        guard report.bypassing.isEmpty else { throw ExitCode(1) }
    }
}

/// `install-cni doctor`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Checks whether this node has what the agent needs, and says what to do.",
        discussion: """
            Reads the agent's variables, so run it in the agent's container; the agent's flags win. Nothing is changed. \
            Ends with 0 if all that is needed is there, else with 1.

            EXAMPLE
              kubectl exec -n istio-system ds/istio-cni-node -- install-cni doctor
            """
    )

    /// Has the flags that stand in for the agent's.
    @ParentCommand var agent: InstallCNI
    @OptionGroup var inquiry: InquiryOptions

    func run() throws {
        let report = DoctorReport(arguments: agent.flags.arguments, environment: try ProcessEnvironment.all())
        if inquiry.json {
            try inquiry.write(report.value)
        } else {
            try inquiry.write(report.text(hasColour: inquiry.hasColour))
        }
        guard report.isGood else { throw ExitCode(1) }
    }
}

/// What the commands that tell about a node have in common.
struct InquiryOptions: ParsableArguments {
    @Flag(help: "Write JSON.")
    var json = false

    /// Asks the agent; where none answers the program says so and ends with 2.
    ///
    /// - Parameter agent: Has the flag that says where it is.
    /// - Returns: What it says.
    /// - Throws: The status that the program ends with.
    func report(of agent: InstallCNI) throws -> NodeReport {
        let setting = AgentSetting.agentRunDirectory
        let environment = OwnProcess.environment(setting.variables)
        let inherited = setting.variables.compactMap { name in environment[name] }.first
        let directory = agent.flags.arguments[setting] ?? inherited ?? setting.defaultValue
        do throws(AgentClient.Failure) {
            return try NodeReport(asking: AgentClient(runDirectory: directory))
        } catch {
            try OwnProcess.writeStandardError(Array("install-cni: \(error.description)\n".utf8))
            throw ExitCode(2)
        }
    }

    /// Colour for a person who has not declined it (https://no-color.org).
    var hasColour: Bool {
        OwnProcess.hasTerminal && (OwnProcess.environment(["NO_COLOR"])["NO_COLOR"] ?? "").isEmpty
    }

    func write(_ text: String) throws { try OwnProcess.writeStandardOutput(Array(text.utf8)) }

    func write(_ value: JSONValue) throws { try write(value.text(.indented) + "\n") }
}
