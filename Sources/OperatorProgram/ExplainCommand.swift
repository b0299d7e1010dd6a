internal import ArgumentParser
internal import Operator

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whether a pod is redirected and why, what of its traffic is not, and draw its way.",
        discussion: """
            All pods of a file are explained, one after the other; --svg takes one.

            EXAMPLES
              istio-cnictl explain -f pod.yaml
              istio-cnictl explain bookshop/reviews-v1-6d8f5b7c9-x2k4q --svg reviews.svg
              istio-cnictl inject -f all.yaml | istio-cnictl explain -f -
              istio-cnictl explain -f all.yaml bookshop/reviews-v1 --svg reviews.svg

            --json prints an object, or an array of them if the file has several pods. In the list, ok is a step that lets the \
            pod go on to redirection, and => what decided.

            Exit status: 0 if every pod can start, redirected or not; 1 if an annotation of one cannot be obeyed or it cannot be \
            read.
            """
    )

    @OptionGroup var pod: PodOptions

    @Option(help: ArgumentHelp("Draw the way of the pod's traffic.", valueName: "file"))
    var svg: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        try Output.reporting(svg == nil ? "explain" : "explain --svg") {
            let source = try pod.source()
            let found = try source.read()
            if svg != nil { _ = try source.one(of: found) }
            let explained = ExplainedPods(found, pod.circumstances)
            if let svg, case .pod(let one) = explained.all.first {
                try NamedFile.write(Array(TrafficPicture(one).drawing.svg.utf8), to: svg)
            }
            if json {
                Output.write(explained.value)
            } else {
                Output.write(explained.text(hasColour: Output.hasColour))
            }
            if let failure = explained.failure { throw failure }
        }
    }
}
