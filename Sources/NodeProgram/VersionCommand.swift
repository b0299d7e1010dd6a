import ArgumentParser
import CNIProtocol

/// What this build is.
enum Version {
    static let text = "0.1.0"
}

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
        case .text: print(short ? Version.text : "install-cni \(Version.text)")
        case .json:
            let version = JSONValue.object([JSONMember("version", .string(Version.text))])
            print(JSONValue.object([JSONMember("clientVersion", version)]).text(.indented))
        }
    }
}
