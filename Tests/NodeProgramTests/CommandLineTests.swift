import ArgumentParser
import Foundation
import LinuxKernel
import Redirect
import TestSupport
import Testing

@testable import NodeProgram

/// The command line and the environment of `istio-iptables`, without running it.
@Suite struct CommandLineTests {
    static func settings(
        _ arguments: [String],
        _ environment: [String: String] = [:]
    ) throws -> (settings: ToolSettings, warnings: [String]) {
        var warnings: [String] = []
        let command = try IstioIPTables.parse(SwitchValue.spelledOut(arguments))
        let settings = ToolSettings(command, environment: environment, warnings: &warnings)
        return (settings, warnings)
    }

    static func isRefused(_ arguments: [String]) -> Bool {
        do {
            _ = try settings(arguments)
            return false
        } catch {
            return true
        }
    }

    static let valued = RedirectFlag.allCases.filter { $0.flag != nil && $0.form != .boolean }
    static let switches = RedirectFlag.allCases.filter { $0.flag != nil && $0.form == .boolean }

    @Test(arguments: valued)
    func `a flag of the plan is taken in each form that Go's flags have`(flag: RedirectFlag) throws {
        var forms = [["\(flag.name)=7"], [flag.name, "7"]]
        if let short = flag.short { forms += [["-\(short)", "7"], ["-\(short)7"], ["-\(short)=7"]] }

        for form in forms {
            let (settings, warnings) = try Self.settings(form)

            #expect(settings.flags == RedirectFlags(arguments: [flag: "7"], environment: [:]), "\(form)")
            #expect(warnings.isEmpty)
        }
    }

    @Test(arguments: valued.filter { $0.form != .listeningPort && $0.form != .number })
    func `an empty value is a value`(flag: RedirectFlag) throws {
        let (settings, _) = try Self.settings([flag.name, ""])

        #expect(settings.flags == RedirectFlags(arguments: [flag: ""], environment: [:]))
    }

    @Test(arguments: switches)
    func `a switch is on, or what it says; the word after it is not its value`(flag: RedirectFlag) throws {
        let (on, _) = try Self.settings([flag.name, "--run-validation"])
        let (off, _) = try Self.settings(["\(flag.name)=false", "--run-validation"])
        let (operand, warnings) = try Self.settings([flag.name, "false"])

        #expect(on.flags == RedirectFlags(arguments: [flag: "true"], environment: [:]))
        #expect(on.runsValidation)
        #expect(off.flags == RedirectFlags(arguments: [flag: "false"], environment: [:]))
        #expect(operand.flags == on.flags)
        #expect(warnings.isEmpty)
        #expect(Self.isRefused(["\(flag.name)=maybe"]))
    }

    @Test func `without flags nothing is special`() throws {
        let (settings, warnings) = try Self.settings([])

        #expect(!settings.isDryRun && !settings.skipsRules && !settings.runsValidation && !settings.reconciles)
        #expect(!settings.cleansUp && !settings.forcesApply && !settings.usesNativeNFTables)
        #expect(settings.probePort == 15_002)
        #expect(settings.probeTimeoutMilliseconds == 5_000)
        #expect(settings.iptablesVariant.isEmpty)
        #expect(warnings.isEmpty)
    }

    static let actions: [(flag: ActionFlag, value: String, isSet: @Sendable (ToolSettings) -> Bool)] = [
        (.dryRun, "1", { $0.isDryRun }),
        (.probePort, "8", { $0.probePort == 8 }),
        (.probeTimeout, "1m2s", { $0.probeTimeoutMilliseconds == 62_000 }),
        (.skipRuleApply, "TRUE", { $0.skipsRules }),
        (.runValidation, "true", { $0.runsValidation }),
        (.reconcile, "t", { $0.reconciles }),
        (.cleanupOnly, "true", { $0.cleansUp }),
        (.forceApply, "true", { $0.forcesApply }),
        (.nativeNFTables, "true", { $0.usesNativeNFTables }),
        (.forceIPTablesBinary, "legacy", { $0.iptablesVariant == "legacy" }),
        (.networkNamespace, "/run/x", { _ in true }),
        (.cniMode, "true", { _ in true }),
    ]

    @Test(arguments: actions.indices)
    func `an action is read from its flag, and without that from its variable`(index: Int) throws {
        let (flag, value, isSet) = Self.actions[index]

        let (typed, _) = try Self.settings(["--\(flag.rawValue)=\(value)"])
        let (inherited, _) = try Self.settings([], [flag.variable: value])

        #expect(isSet(typed))
        #expect(isSet(inherited))
    }

    @Test func `every action is in the table above`() {
        #expect(Set(Self.actions.map { $0.flag }) == Set(ActionFlag.allCases))
    }

    @Test func `a flag wins over its variable`() throws {
        let (settings, _) = try Self.settings(
            ["--dry-run=false", "--iptables-probe-port", "9"],
            ["DRY_RUN": "true", "IPTABLES_PROBE_PORT": "8"]
        )

        #expect(!settings.isDryRun)
        #expect(settings.probePort == 9)
    }

    @Test(arguments: [("DRY_RUN", "yes"), ("IPTABLES_PROBE_PORT", "65536"), ("PROBE_TIMEOUT", "5")])
    func `a variable that cannot be read counts as absent, and is named`(variable: String, value: String) throws {
        let (settings, warnings) = try Self.settings([], [variable: value])

        let plain = try Self.settings([]).settings
        #expect(settings.isDryRun == plain.isDryRun)
        #expect(settings.probePort == plain.probePort)
        #expect(settings.probeTimeoutMilliseconds == plain.probeTimeoutMilliseconds)
        #expect(warnings.count == 1)
        #expect(warnings.first?.hasPrefix("\(variable): \"\(value)\" is ignored; expected ") == true)
    }

    @Test(
        arguments: [
            ["--unknown"], ["-p"], ["--iptables-probe-port", "x"], ["--probe-timeout", "5"], ["--dry-run=2"],
            ["-y", "1"],
        ]
    )
    func `what cannot be read is refused`(arguments: [String]) {
        #expect(Self.isRefused(arguments))
    }

    @Test func `flags of Istio's log are taken`() throws {
        let (_, warnings) = try Self.settings([
            "--log_output_level=default:info", "--log_as_json", "--log_target", "stdout", "--log_caller", "all",
            "--log_stacktrace_level", "default:none", "--log_rotate", "/x", "--log_rotate_max_age", "1",
            "--log_rotate_max_backups", "1", "--log_rotate_max_size", "1",
        ])

        #expect(warnings.isEmpty)
    }

    @Test func `the help names every flag and variable, and two examples`() {
        let help = IstioIPTables.helpMessage(columns: 200)

        for flag in RedirectFlag.allCases {
            #expect(help.contains(flag.name), "\(flag.name)")
            for variable in flag.variables { #expect(help.contains(variable), "\(variable)") }
        }
        for flag in ActionFlag.allCases {
            #expect(help.contains("--\(flag.rawValue)"))
            #expect(help.contains(flag.variable))
        }
        #expect(help.components(separatedBy: "    istio-iptables ").count == 3)
    }

    @Test(
        arguments: [
            ("5s", 5_000), ("0", 0), ("1m30s", 90_000), ("1.5s", 1_500), ("500ms", 500), ("24h", 86_400_000),
            ("1500us", 1), (".5s", 500),
        ]
    )
    func `a length of time is read as Go does`(text: String, milliseconds: Int) {
        #expect(GoDuration(argument: text) == GoDuration(milliseconds: milliseconds))
    }

    @Test(arguments: [
        "", "5", "s", "5x", "-5s", "+", "5s5", "1e3s", "25h", "٣s", "5 s", "..5s", "99999999999999999999h",
    ])
    func `what is no length of time is refused`(text: String) {
        #expect(GoDuration(argument: text) == nil)
    }

    @Test func `an account's id is found by its name`() {
        let text = "root:x:0:0:root:/root:/bin/bash\n\nbad\nistio-proxy:x:1337:1337::/:/x\nodd:x:minus:1\nshort:x:7"
        let file = AccountFile(text)

        #expect(file.identifier(of: "root") == 0)
        #expect(file.identifier(of: "istio-proxy") == 1337)
        #expect(file.identifier(of: "short") == 7)
        for name in ["", "bad", "odd", "istio", "x"] { #expect(file.identifier(of: name) == nil, "\(name)") }
    }
}
