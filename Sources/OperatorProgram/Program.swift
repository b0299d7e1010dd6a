internal import ArgumentParser

@main
struct Program: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "istio-cnictl",
        abstract: "What people run about Istio's CNI node agent, from anywhere.",
        subcommands: [Explain.self, Trace.self, Rules.self, Inject.self, Manifest.self, Try.self, TryInside.self]
    )
}
