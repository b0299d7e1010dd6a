import Agent
import ArgumentParser
import LinuxKernel

/// One executable with two names: the agent, and under the name `istio-iptables` the redirect tool.
@main
struct Program {
    static func main() async {
        switch Role(programName: CommandLine.arguments.first ?? "") {
        case .agent: await InstallCNI.main()
        case .redirectTool:
            // Until `IstioIPTables` is here, which takes the arguments from the second one on.
            LineLogHandler.writeStandardError(Array("istio-iptables: not part of this build yet\n".utf8))
            OwnProcess.exit(1)
        }
    }

    /// What the program is, by the name that it was called with.
    enum Role: Equatable {
        case agent
        case redirectTool

        init(programName: String) {
            let name = programName.split(separator: "/").last ?? ""
            self = name == "istio-iptables" ? .redirectTool : .agent
        }
    }
}
