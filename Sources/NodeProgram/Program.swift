import Agent
import ArgumentParser

/// One executable with two names: the agent, and under the name `istio-iptables` the redirect tool.
@main
struct Program {
    static func main() async {
        switch Role(programName: CommandLine.arguments.first ?? "") {
        case .agent: await InstallCNI.run(Array(CommandLine.arguments.dropFirst()))
        case .redirectTool: IstioIPTables.main(Array(CommandLine.arguments.dropFirst()))
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
