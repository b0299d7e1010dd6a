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
    }

    @Option(name: .shortAndLong, help: "Form of the output.")
    var output = Output.text

    @Flag(name: .shortAndLong, help: "Only the number.")
    var short = false

    func run() {
        switch output {
        case .text: print(short ? ProductVersion.text : "install-cni \(ProductVersion.text)")
        case .json:
            let version = JSONValue.object([JSONMember("version", .string(ProductVersion.text))])
            print(JSONValue.object([JSONMember("clientVersion", version)]).text(.indented))
        }
    }
}
