internal import ArgumentParser
internal import Foundation
internal import Operator

/// Whose agents are asked.
struct NodeOptions: ParsableArguments {
    @OptionGroup var cluster: ClusterOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("The agents' namespace; all unless set.", valueName: "name"))
    var namespace: String?

    @Flag(help: "Print JSON.")
    var json = false

    /// What the agents say to `install-cni COMMAND --json`.
    func answers(to command: String) throws -> NodeAnswers {
        let isWatched = isatty(STDERR_FILENO) == 1
        let answers = try NodeAnswers.cluster(cluster.kubectl(), namespace: namespace, command: command) { done, all in
            if isWatched { FileHandle.standardError.write(Data("\r\(done) of \(all) nodes\u{1B}[K".utf8)) }
        }
        if isWatched { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
        return answers
    }
}

/// The same, where agents of this machine can be asked in place of a cluster's: their sockets know the status.
struct StatusOptions: ParsableArguments {
    @OptionGroup var nodes: NodeOptions

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Ask agents of this machine, by their run directories.", valueName: "dir")
    )
    var runDir: [String] = []

    func answers() throws -> NodeAnswers {
        runDir.isEmpty ? try nodes.answers(to: "status") : NodeAnswers.local(runDir)
    }
}

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the agent of every node, and the state of its pods.",
        discussion: """
            Runs install-cni status in the agents' pods, through your kubectl; --run-dir asks agents of this machine.

            EXAMPLES
              istio-cnictl status
              istio-cnictl status --context production --json
              istio-cnictl status --run-dir /var/run/istio-cni

            Exit status: 0 if every node's agent is ready, 1 if one is not, 2 if a node could not be asked.
            """
    )

    @OptionGroup var options: StatusOptions

    func run() throws {
        try Output.reporting("status", orExit: 2) {
            let answers = try options.answers()
            let table = StatusTable(answers, hasColour: Output.hasColour)
            if options.nodes.json { Output.write(table.value) } else { Output.write(table.text) }
            if table.exitStatus != 0 { throw ExitCode(table.exitStatus) }
        }
    }
}

struct Bypass: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List every pod that should go through its sidecar and does not, with the reason.",
        discussion: """
            A pod that nobody could look into counts as not known: repair is off, or its runtime has a network stack of its \
            own (gVisor, Kata).

            EXAMPLES
              istio-cnictl bypass
              istio-cnictl bypass --partial --json

            Exit status: 0 if no pod is known to bypass the mesh, 1 if one does, 2 if a node could not be asked.
            """
    )

    @OptionGroup var options: StatusOptions

    @Flag(help: "Also list pods of which only some redirection is in force.")
    var partial = false

    func run() throws {
        try Output.reporting("bypass", orExit: 2) {
            let answers = try options.answers()
            let table = BypassTable(answers, listsPartial: partial, hasColour: Output.hasColour)
            if options.nodes.json { Output.write(table.value) } else { Output.write(table.text) }
            if table.exitStatus != 0 { throw ExitCode(table.exitStatus) }
        }
    }
}

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check every node for what the agent needs, and for what fights with it.",
        discussion: """
            Runs install-cni doctor in the agents' pods, through your kubectl. What is found on several nodes is told once. \
            Most of it is in files that an agent's socket says nothing of, so there is no --run-dir here: on a node itself \
            run install-cni doctor.

            EXAMPLE
              istio-cnictl doctor --json

            Exit status: 0 if all is good, 1 if something is not, 2 if a node could not be asked.
            """
    )

    @OptionGroup var options: NodeOptions

    func run() throws {
        try Output.reporting("doctor", orExit: 2) {
            let table = DoctorTable(try options.answers(to: "doctor"), hasColour: Output.hasColour)
            if options.json { Output.write(table.value) } else { Output.write(table.text) }
            if table.exitStatus != 0 { throw ExitCode(table.exitStatus) }
        }
    }
}

struct BundleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle",
        abstract: "Collect what somebody who helps needs into one archive, without secrets.",
        discussion: """
            Status, findings and logs of every agent, those from before its last restart too, its pod as kubectl describes it, \
            the DaemonSet, its ConfigMap and pods, events. index.txt begins with the version of this program, and names what \
            cannot be had. Look into it before you send it: names of your pods, nodes and images are in it.

            EXAMPLE
              istio-cnictl bundle --output istio-cni.tar && tar -tf istio-cni.tar

            Exit status: 0, or 1 if the archive could not be written.
            """
    )

    @OptionGroup var cluster: ClusterOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("The agents' namespace; all unless set.", valueName: "name"))
    var namespace: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("The archive.", valueName: "file"))
    var output = "istio-cni-bundle.tar"

    func run() throws {
        try Output.reporting("bundle") {
            let files = Bundle(try cluster.kubectl(), namespace: namespace).files { name in
                FileHandle.standardError.write(Data("\(name)\n".utf8))
            }
            let seconds = Int(Date().timeIntervalSince1970)
            let archive = TarArchive.bytes(files, folder: "istio-cni-bundle", seconds: seconds)
            try NamedFile.write(archive, to: output)
            Output.write("\(output): \(files.count) files\n")
        }
    }
}

struct Completion: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the script that completes this program's arguments in a shell.",
        discussion: """
            EXAMPLES
              istio-cnictl completion bash > /etc/bash_completion.d/istio-cnictl
              istio-cnictl completion zsh > ~/.zfunc/_istio-cnictl
              istio-cnictl completion fish > ~/.config/fish/completions/istio-cnictl.fish
            """
    )

    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash
        case zsh
        case fish
    }

    @Argument(help: "bash, zsh or fish.")
    var shell: Shell

    func run() {
        let form: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        Output.write(Program.completionScript(for: form) + "\n")
    }
}
