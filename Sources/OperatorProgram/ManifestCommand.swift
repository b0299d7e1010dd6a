internal import ArgumentParser
internal import Operator

struct Manifest: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Manifests of the agent.",
        subcommands: [ManifestGenerate.self]
    )
}

struct ManifestGenerate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Print the agent's objects for an IstioOperator document, without a cluster.",
        discussion: """
            Takes the document that istioctl takes, and prints what `install` would hand to the cluster: the CNI component, \
            rendered by `helm template`. What the document says beside it is not printed.

            EXAMPLES
              istio-cnictl manifest generate -f istio-cni.yaml --set hub=REGISTRY
              istio-cnictl manifest generate -f cni.yaml --set hub=REGISTRY -o agent.yaml

            Exit status: 0, or 1 if the document is wrong or cannot be rendered.
            """
    )

    @OptionGroup var document: DocumentOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("Write there, not to standard output.", valueName: "file"))
    var output: String?

    func run() throws {
        try Output.reporting("manifest generate") {
            let chart = try document.openChart()
            let plan = try document.plan(chart: chart)
            if plan.asksForAmbient { Output.warn(ReleasePlan.noAmbient) }
            let text = try Helm(try ExternalProgram("helm")).template(plan, chart: chart)
            guard let output else { return Output.write(text) }
            try NamedFile.write(Array(text.utf8), to: output)
        }
    }
}
