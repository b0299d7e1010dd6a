import Agent
import ArgumentParser
import LinuxKernel
import Logging

/// Flags about the log, which every command of Istio takes.
struct LogOptions: ParsableArguments {
    static let jsonName = "log_as_json"

    @Option(
        name: .customLong("log_as_json"),
        help: "Write the log as JSON, to standard error as always."
    )
    var asJSON: SwitchValue?

    @Option(
        name: .customLong("log_output_level"),
        help: "Levels by scope: scope:level,... with debug, info, warn, error, fatal, none."
    )
    var outputLevel = "default:info"

    @Option(name: .customLong("log_target"), help: .hidden)
    var target: [String] = []

    @Option(name: .customLong("log_caller"), help: .hidden)
    var caller: String?

    @Option(name: .customLong("log_stacktrace_level"), help: .hidden)
    var stackTraceLevel: String?

    @Option(name: .customLong("log_rotate"), help: .hidden)
    var rotatedFile: String?

    @Option(name: .customLong("log_rotate_max_age"), help: .hidden)
    var rotationAge: String?

    @Option(name: .customLong("log_rotate_max_backups"), help: .hidden)
    var rotationCount: String?

    @Option(name: .customLong("log_rotate_max_size"), help: .hidden)
    var rotationSize: String?

    /// A log of this command's own, on standard error: standard output is for rules.
    func logger() throws -> Logger {
        let levels: LogLevels
        do throws(LogLevels.Failure) {
            levels = try LogLevels(outputLevel)
        } catch {
            throw ValidationError("--log_output_level: \(error.description)")
        }
        let format: LineLogHandler.Format = asJSON?.isOn ?? false ? .json : .text
        return Logger(label: "istio-iptables") { scope in
            LineLogHandler(scope: scope, levels: levels, format: format)
        }
    }
}
