internal import ArgumentParser
internal import Foundation
internal import Operator

struct Install: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Install or upgrade the agent as an IstioOperator document says.",
        discussion: """
            Takes the document that istioctl takes, hands its CNI component to `helm upgrade --install`, and waits until every \
            node is ready. Other components are not installed: the commands that do it are printed. Needs `helm` and `kubectl` \
            in PATH; nothing is deleted but what Helm has made for an earlier version of the same release.

            EXAMPLES
              istio-cnictl install -f istio-cni.yaml --set hub=REGISTRY -y
              istio-cnictl upgrade -f istio-cni.yaml --set hub=REGISTRY --set tag=1.0.1
              istio-cnictl install -f istio-cni.yaml --set hub=REGISTRY --dry-run

            Exit status: 0, or 1 if the document is wrong, the answer was no, or a node is not ready in time.
            """,
        aliases: ["upgrade", "apply"]
    )

    @OptionGroup var document: DocumentOptions

    @OptionGroup var cluster: ClusterOptions

    @Flag(name: [.customShort("y"), .customLong("skip-confirmation")], help: "Do not ask.")
    var skipConfirmation = false

    @Flag(help: "Change nothing, refuse and warn as without it, and print how the cluster would change.")
    var dryRun = false

    @Option(help: ArgumentHelp("How long the nodes may take: 90s, 5m, 1h.", valueName: "time"))
    var readinessTimeout = Duration(seconds: 300)

    func run() throws {
        try Output.reporting("install") {
            let target = try cluster.agentCluster()
            let chart = try document.openChart()
            let detects = ProcessInfo.processInfo.environment["AUTO_GKE_DETECTION"] != "false"
            let plan = try document.plan(chart: chart) { detects ? try target.server() : nil }
            // A dry run's standard output is the difference alone.
            let talk = Output.conversation(asks: !skipConfirmation, saysOnError: dryRun)
            var installation = Installation(plan, chart: chart, on: target, talk: talk)
            installation.readinessSeconds = readinessTimeout.seconds
            if dryRun { return Output.write(try installation.preview(isForced: document.force)) }
            try Output.end(try installation.run(isForced: document.force))
        }
    }
}

extension ClusterOptions {
    /// The cluster through both programs.
    func agentCluster() throws -> AgentCluster {
        AgentCluster(
            kubectl: try kubectl(),
            helm: Helm(try ExternalProgram("helm"), kubeconfig: kubeconfig, context: context)
        )
    }
}

/// A time as Go writes it, in whole seconds: `90s`, `5m`, `1h`.
struct Duration: ExpressibleByArgument {
    let seconds: Int

    init(seconds: Int) { self.seconds = seconds }

    init?(argument: String) {
        let units = ["s": 1, "m": 60, "h": 3_600]
        guard let unit = argument.last.flatMap({ units[String($0)] }), let number = Int(argument.dropLast()),
            (0...86_400).contains(number)
        else { return nil }
        seconds = number * unit
    }

    var defaultValueDescription: String { seconds % 60 == 0 ? "\(seconds / 60)m" : "\(seconds)s" }
}
