internal import ArgumentParser
internal import Operator

struct Uninstall: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove the agent's release, and see that nothing is left on the nodes.",
        discussion: """
            Removes the Helm release istio-cni of this agent's chart and nothing else; what anybody else has made is refused. \
            The DaemonSet goes first, and every agent takes its entry off its node. Then a DaemonSet of the same image looks \
            at each node for a moment; with --clean-nodes it takes away what agents that did not run have left, and the \
            plugin's binary. The namespace stays.

            EXAMPLES
              istio-cnictl uninstall
              istio-cnictl uninstall -y --clean-nodes
              istio-cnictl uninstall --dry-run                what would go, and which nodes have no ready agent

            Exit status: 0, or 1 if the answer was no, or something is left; it is said what.
            """
    )

    @OptionGroup var cluster: ClusterOptions

    @Flag(name: [.customShort("y"), .customLong("skip-confirmation")], help: "Do not ask.")
    var skipConfirmation = false

    @Flag(help: "Change nothing, and say what would be removed.")
    var dryRun = false

    @Flag(help: "Take off the nodes what agents that did not run have left, and the binary.")
    var cleanNodes = false

    @Flag(inversion: .prefixedNo, help: "Whether to look at each node.")
    var verify = true

    @Option(help: ArgumentHelp("Where control planes are, to warn of those that rely on the agent.", valueName: "name"))
    var istioNamespace = "istio-system"

    @Option(help: ArgumentHelp("How long the nodes may take: 90s, 5m, 1h.", valueName: "time"))
    var timeout = Duration(seconds: 300)

    func run() throws {
        try Output.reporting("uninstall") {
            var removal = Removal(from: try cluster.agentCluster(), talk: Output.conversation(asks: !skipConfirmation))
            removal.cleansNodes = cleanNodes
            removal.verifies = verify
            removal.systemNamespace = istioNamespace
            removal.nodeSeconds = timeout.seconds
            try Output.end(try removal.run(isTry: dryRun))
        }
    }
}
