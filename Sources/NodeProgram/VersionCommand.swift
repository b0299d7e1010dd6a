import Agent
import AgentProtocol
import ArgumentParser
import CNIProtocol

/// `install-cni version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Prints the version of the agent."
    )

    enum Output: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
        case yaml
    }

    @Option(name: .shortAndLong, help: "Form of the output.")
    var output = Output.text

    @Flag(name: .shortAndLong, help: "Only the number.")
    var short = false

    func run() { print(text) }

    var text: String {
        let version = ProductVersion.text
        switch output {
        case .text: return short ? version : "install-cni \(version)"
        case .json: return ProductVersion.value.text(.indented)
        // A quoted scalar of YAML is one of JSON.
        case .yaml: return "clientVersion:\n  version: \(JSONValue.string(version).text())"
        }
    }
}
