import Agent
import ArgumentParser
import CNIProtocol
import Testing

@testable import NodeProgram

/// The command line of `install-cni`, without running it.
@Suite struct AgentCommandLineTests {
    private static let commands: Set = ["version", "help"]

    private static func command(_ arguments: [String]) throws -> InstallCNI {
        let prepared = AgentArguments.prepared(arguments, commands: commands)
        return try #require(try InstallCNI.parseAsRoot(prepared) as? InstallCNI)
    }

    private static let valued = AgentSetting.allCases.filter { $0.flag != nil && $0.form != .boolean }
    private static let switches = AgentSetting.allCases.filter { $0.flag != nil && $0.form == .boolean }

    @Test(arguments: valued)
    func `a flag takes the next word, or what stands behind its equals sign`(setting: AgentSetting) throws {
        for form in [[setting.name, "-1"], ["\(setting.name)=-1"]] {
            let command = try Self.command(form + ["--log_as_json"])

            #expect(command.flags.arguments == [setting: "-1", .logsJSON: "true"] as [AgentSetting: String])
        }
        #expect(try Self.command(["\(setting.name)="]).flags.arguments == [setting: ""])
    }

    @Test(arguments: switches)
    func `a switch is on, or what it says`(setting: AgentSetting) throws {
        let on = try Self.command([setting.name, "--health-port=1"])
        let off = try Self.command(["\(setting.name)=F", "--health-port=1"])

        #expect(on.flags.arguments == [setting: "true", .healthPort: "1"])
        #expect(off.flags.arguments == [setting: "F", .healthPort: "1"])
    }

    @Test func `every flag of the agent is tested above`() {
        #expect(Self.valued.count + Self.switches.count == AgentSetting.byFlag.count)
    }

    @Test(arguments: [
        ["--log_target", "stdout", "--cni-conf-name", "a.conf"], ["--log_target=stdout", "--cni-conf-name=a.conf"],
        ["--skip-tls-verify", "--cni-conf-name=a.conf"], ["--ctrlz_port", "-1", "--cni-conf-name=a.conf"],
        ["--cni-conf-name=a.conf", "--new"],
    ])
    func `a flag that is none of ours is set aside by name`(arguments: [String]) throws {
        guard arguments[1] != "-1" else {
            // A word with a dash is a flag, and one letter that nobody knows is a mistake.
            #expect(throws: (any Error).self) { try Self.command(arguments) }
            return
        }

        let command = try Self.command(arguments)

        #expect(command.flags.arguments == [.primaryName: "a.conf"])
        #expect(command.otherFlags.count == 1)
        #expect(!command.otherFlags[0].hasPrefix("-") && !command.otherFlags[0].contains("="))
    }

    @Test(arguments: [
        ["version", "--short"], ["--log_as_json", "version", "--output=yaml"], ["version", "--log_as_json", "--short"],
    ])
    func `a command reads its own flags`(arguments: [String]) throws {
        let prepared = AgentArguments.prepared(arguments, commands: Self.commands)

        #expect(try InstallCNI.parseAsRoot(prepared) is VersionCommand)
    }

    @Test(arguments: [["bypas"], ["-x"], ["version", "--unknown"]])
    func `what cannot be read is refused`(arguments: [String]) {
        #expect(throws: (any Error).self) {
            try InstallCNI.parseAsRoot(AgentArguments.prepared(arguments, commands: Self.commands))
        }
    }

    @Test func `the help names every setting, by group`() {
        let help = InstallCNI.helpMessage(columns: 300)

        for setting in AgentSetting.allCases {
            #expect(help.contains(setting.summary), "\(setting.name)")
            for variable in setting.variables { #expect(help.contains(variable), "\(variable)") }
            if let flag = setting.flag { #expect(help.contains("--\(flag)"), "\(flag)") }
        }
        for group in AgentSetting.Group.allCases where group != .redirection {
            #expect(help.contains("\(group.rawValue.uppercased()):"), "\(group.rawValue)")
        }
        #expect(!help.contains(AgentArguments.otherFlag))
    }

    @Test(arguments: [
        (["version"], "install-cni "), (["version", "--short"], ""), (["version", "-o", "json"], "{\n"),
        (["version", "-o", "yaml"], "clientVersion:\n  version: \""),
    ])
    func `the version is told in each form`(arguments: [String], start: String) throws {
        let command = try #require(try InstallCNI.parseAsRoot(arguments) as? VersionCommand)

        #expect(command.text.hasPrefix(start))
        #expect(command.text.contains(InstallCNI.configuration.version))
    }
}
