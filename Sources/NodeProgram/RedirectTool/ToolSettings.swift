import Redirect

/// What `istio-iptables` is to do: its flags, or where one is absent the variable of its name.
struct ToolSettings: Equatable {
    var flags: RedirectFlags
    var isDryRun: Bool

    /// Where a dry run writes the rules as well.
    var dryRunFile: String?
    var skipsRules: Bool
    var runsValidation: Bool
    var reconciles: Bool
    var cleansUp: Bool
    var forcesApply: Bool
    var usesNativeNFTables: Bool

    /// `legacy`, `nft`, or empty for whichever works.
    var iptablesVariant: String
    var probePort: UInt16
    var probeTimeoutMilliseconds: Int

    /// Every variable that is read.
    static let variables =
        RedirectFlag.allCases.flatMap { $0.variables } + ActionFlag.allCases.map { $0.variable } + [dryRunFileVariable]

    private static let dryRunFileVariable = "DRY_RUN_FILE_PATH"

    /// - Parameters:
    ///   - command: What was typed, which wins.
    ///   - environment: Those of ``variables`` that are set; a value that cannot be read counts as absent, as upstream
    ///     has it.
    ///   - warnings: Gets a line for each such value.
    init(_ command: IstioIPTables, environment: [String: String], warnings: inout [String]) {
        var reader = EnvironmentReader(environment: environment)
        let actions = command.actions
        flags = RedirectFlags(arguments: command.redirection.arguments, environment: environment)
        isDryRun = reader.isOn(actions.dryRun, .dryRun)
        dryRunFile = environment[Self.dryRunFileVariable].flatMap { $0.isEmpty ? nil : $0 }
        skipsRules = reader.isOn(actions.skipRuleApply, .skipRuleApply)
        runsValidation = reader.isOn(actions.runValidation, .runValidation)
        reconciles = reader.isOn(actions.reconcile, .reconcile)
        cleansUp = reader.isOn(actions.cleanupOnly, .cleanupOnly)
        forcesApply = reader.isOn(actions.forceApply, .forceApply)
        usesNativeNFTables = reader.isOn(actions.nativeNFTables, .nativeNFTables)
        iptablesVariant =
            actions.forceIPTablesBinary ?? environment[ActionFlag.forceIPTablesBinary.variable] ?? ""
        probePort =
            actions.probePort
            ?? reader.value(.probePort, "a port from 0 to 65535") { UInt16($0) } ?? 15_002
        let timeout =
            actions.probeTimeout ?? reader.value(.probeTimeout, "a duration such as 5s") { GoDuration(argument: $0) }
        probeTimeoutMilliseconds = timeout?.milliseconds ?? 5_000
        warnings += reader.warnings
    }
}

/// Reads variables, and remembers those that cannot be read.
private struct EnvironmentReader {
    let environment: [String: String]
    private(set) var warnings: [String] = []

    init(environment: [String: String]) { self.environment = environment }

    mutating func isOn(_ typed: SwitchValue?, _ flag: ActionFlag) -> Bool {
        typed?.isOn ?? value(flag, "true or false") { Bool(goText: $0) } ?? false
    }

    mutating func value<Value>(_ flag: ActionFlag, _ expected: String, _ parse: (String) -> Value?) -> Value? {
        guard let text = environment[flag.variable] else { return nil }
        if let value = parse(text) { return value }
        let shown = ShortenedText(text).description
        warnings.append("\(flag.variable): \(shown) is ignored; expected \(expected)")
        return nil
    }
}
