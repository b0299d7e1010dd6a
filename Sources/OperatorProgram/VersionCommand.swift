internal import AgentProtocol
internal import ArgumentParser

struct Version: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the version of this program.",
        discussion: """
            The agents' versions are in the table of istio-cnictl status.

            EXAMPLE
              istio-cnictl version --json
            """
    )

    @Flag(help: "Print JSON.")
    var json = false

    func run() {
        if json { Output.write(ProductVersion.value) } else { Output.write(Program.configuration.version + "\n") }
    }
}
