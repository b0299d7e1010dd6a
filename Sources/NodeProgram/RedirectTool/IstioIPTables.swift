import Agent
import ArgumentParser
import LinuxKernel
import Logging
import Redirect

/// `istio-iptables`: redirects the namespace that it runs in, or proves that it is redirected.
///
/// An init container of a pod runs it. Names, letters, variables and exit statuses are those of upstream's command.
struct IstioIPTables: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "istio-iptables",
        abstract: "Redirects the connections of this network namespace to the proxy, or proves that they are.",
        discussion: """
            A flag wins over the environment variable of its name (INBOUND_CAPTURE_PORT), and that over the default.
            Only variables: ISTIO_OUTBOUND_OWNER_GROUPS, ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE,
            ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR, ENVOY_USER, DRY_RUN_FILE_PATH.

            Ends with 0 when all is done, 1 if rules or settings were refused, 126 if the namespace is not redirected
            (--run-validation), 255 if the command line cannot be read.

            EXAMPLES
              Print the rules that redirect everything but SSH, without touching anything:
                istio-iptables -u 1337 -m REDIRECT -i '*' -b '*' -d 22 --dry-run

              Prove, as the proxy's user, that the pod is redirected:
                istio-iptables --run-validation --skip-rule-apply
            """
    )

    @OptionGroup(title: "What is redirected") var redirection: RedirectionOptions
    @OptionGroup(title: "What is done") var actions: ActionOptions
    @OptionGroup(title: "Log") var log: LogOptions

    @Argument(help: .hidden) var operands: [String] = []

    /// How the program ends (upstream's numbers).
    enum Status: Int32 {
        case success = 0
        case failure = 1

        /// What repair looks for at a validation container that has ended.
        case notRedirected = 126
        case badCommandLine = 255
    }

    /// Runs the command and ends the process.
    ///
    /// - Parameter arguments: Those after the program's name.
    static func main(_ arguments: [String]) -> Never {
        let command: IstioIPTables
        let log: Logger
        do {
            command = try parse(SwitchValue.spelledOut(arguments))
            log = try command.log.logger()
        } catch {
            let message = fullMessage(for: error) + "\n"
            guard exitCode(for: error) == .success else { end(.badCommandLine, printing: message, to: .error) }
            end(.success, printing: message, to: .output)
        }
        var warnings: [String] = []
        let environment = OwnProcess.environment(ToolSettings.variables)
        let settings = ToolSettings(command, environment: environment, warnings: &warnings)
        // Upstream takes them too, and they mean nothing.
        for operand in command.operands { warnings.append("\(ShortenedText(operand).description) is ignored") }
        for warning in warnings { log.warning("\(warning)") }
        OwnProcess.exit(RedirectTool(settings: settings, log: log).run().rawValue)
    }

    private enum Stream {
        case output
        case error
    }

    private static func end(_ status: Status, printing text: String, to stream: Stream) -> Never {
        do throws(KernelError) {
            switch stream {
            case .output: try OwnProcess.writeStandardOutput(Array(text.utf8))
            case .error: try OwnProcess.writeStandardError(Array(text.utf8))
            }
        } catch {
            // Nobody reads, so nobody can be told; the status is left.
            OwnProcess.exit(status == .success ? Status.failure.rawValue : status.rawValue)
        }
        OwnProcess.exit(status.rawValue)
    }
}
