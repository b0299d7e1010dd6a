internal import ArgumentParser
internal import Operator
internal import Redirect

struct Rules: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a pod's rules, with the reason beside each.",
        discussion: """
            EXAMPLES
              istio-cnictl rules -f pod.yaml
              istio-cnictl rules -f pod.yaml --as iptables

            What is printed can be loaded: nft -f takes the one, iptables-restore --noflush the other (and ip6tables-restore \
            its second half). Exit status: 0, or 1 if the pod is not redirected or cannot be read.
            """
    )

    enum Form: String, ExpressibleByArgument, CaseIterable {
        case nft
        case iptables
    }

    @OptionGroup var pod: PodOptions

    @Option(name: .customLong("as"), help: "nft or iptables.")
    var form = Form.nft

    func run() throws {
        try Output.reporting("rules") {
            let explained = try pod.explained()
            guard let plan = explained.plan else {
                Output.write("# \(explained.name) is \(explained.sentence)\n")
                throw ExitCode.failure
            }
            Output.write(RuleListing.text(RuleSet(plan), as: form == .nft ? .nft : .iptables))
        }
    }
}
