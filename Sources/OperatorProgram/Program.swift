internal import AgentProtocol
internal import ArgumentParser

@main
struct Program: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "istio-cnictl",
        abstract: "What people run about Istio's CNI node agent, from anywhere.",
        version: "istio-cnictl \(ProductVersion.text)",
        subcommands: [
            Install.self, Uninstall.self, Manifest.self,
            Inject.self, Explain.self, Trace.self, Rules.self,
            Status.self, Bypass.self, Doctor.self, BundleCommand.self,
            Completion.self, Version.self, Try.self, TryInside.self,
        ]
    )
}
