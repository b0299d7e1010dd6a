internal import ArgumentParser
internal import Operator

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whether a pod is redirected and why, what of its traffic is not, and draw its way.",
        discussion: """
            EXAMPLES
              istio-cnictl explain -f pod.yaml
              istio-cnictl explain bookshop/reviews-v1-6d8f5b7c9-x2k4q --svg reviews.svg
              istio-cnictl inject -f deployment.yaml | istio-cnictl explain -f -

            Exit status: 0 if the pod can start, redirected or not; 1 if an annotation cannot be obeyed or the pod cannot be read.
            """
    )

    @OptionGroup var pod: PodOptions

    @Option(help: ArgumentHelp("Draw the way of the pod's traffic.", valueName: "file"))
    var svg: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        try Output.reporting("explain") {
            let explained = try pod.explained()
            if let svg {
                try NamedFile.write(Array(TrafficPicture(explained).drawing.svg.utf8), to: svg)
            }
            if json {
                Output.write(explained.value)
            } else {
                Output.write(ExplainText(explained, hasColour: Output.hasColour).text)
            }
        }
    }
}
