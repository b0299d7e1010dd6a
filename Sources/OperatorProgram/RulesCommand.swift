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
              istio-cnictl rules -f all.yaml bookshop/reviews-v1 --json

            What is printed can be loaded: nft -f takes the one, iptables-restore --noflush the other (and ip6tables-restore \
            its second half). Exit status: 0, or 1 if the pod is not redirected or cannot be read.
            """
    )

    @OptionGroup var pod: PodOptions

    @Option(name: .customLong("as"), help: "nft or iptables.")
    var form = RuleListing.Form.nft

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        try Output.reporting("rules") {
            let explained = try pod.explained()
            if json {
                Output.write(RuleListing.value(explained, as: form))
            } else if let plan = explained.plan {
                Output.write(RuleListing.text(RuleSet(plan), as: form))
            } else {
                Output.write("# \(explained.name) is \(explained.sentence)\n")
            }
            if explained.plan == nil { throw ExitCode.failure }
        }
    }
}

extension RuleListing.Form: ExpressibleByArgument {}
