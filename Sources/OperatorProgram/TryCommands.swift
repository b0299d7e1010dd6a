internal import ArgumentParser
internal import Foundation
internal import Operator

struct Try: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Redirect a pod in namespaces of its own, and show where each connection lands.",
        discussion: """
            No cluster is needed, and the network and the files of this machine stay as they are. The real agent and the \
            real plugin run, found beside this program. As root, or as an ordinary user where user namespaces allow it.

            A stand-in takes the proxy's place and says where each connection was going. With --envoy a real Envoy does, \
            and what it answers and counts is shown: istio-cnictl try --pod pod.yaml --envoy "$(scripts/install-envoy)"

            Exit status: 0 if every connection landed as planned, 1 if one did not or something failed.
            """
    )

    @Option(name: .long, help: ArgumentHelp("The pod, in YAML or JSON.", valueName: "file"))
    var pod: String

    @Argument(help: ArgumentHelp("Which pod of the file, where it has several.", valueName: "namespace/pod"))
    var name: String?

    @Option(name: .long, help: ArgumentHelp("Make one more connection, from this user of the pod.", valueName: "uid"))
    var fromUid: UInt32?

    @Option(
        name: .long,
        help: ArgumentHelp("Let this Envoy be the pod's proxy, in place of a stand-in.", valueName: "path")
    )
    var envoy: String?

    @Flag(name: .long, help: "Leave the namespaces, and say how to enter and how to remove them.")
    var keep = false

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    func run() throws {
        let command = TryCommand(
            pod: .file(pod, pod: name),
            extraUser: fromUid,
            envoy: envoy,
            keepsNamespaces: keep
        )
        let report: TryReport
        do {
            report = try command.run()
        } catch {
            FileHandle.standardError.write(Data("istio-cnictl try: \(error)\n".utf8))
            throw ExitCode.failure
        }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            FileHandle.standardOutput.write(try encoder.encode(report) + Data("\n".utf8))
        } else {
            let hasColour = isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
            FileHandle.standardOutput.write(Data(TryTable(report, hasColour: hasColour).text.utf8))
        }
        guard report.isAsPlanned else { throw ExitCode.failure }
    }
}

/// The part of `try` that runs inside the namespaces; nobody calls it by hand.
struct TryInside: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: TryCommand.innerCommand, shouldDisplay: false)

    func run() throws {
        try Demonstration.answerStandardInput()
    }
}
