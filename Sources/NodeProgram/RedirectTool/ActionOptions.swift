import ArgumentParser

/// A flag of `istio-iptables` that says what is done with the plan.
///
/// There is no other definition of any of them; the value is the long name.
enum ActionFlag: String, CaseIterable {
    case dryRun = "dry-run"
    case probePort = "iptables-probe-port"
    case probeTimeout = "probe-timeout"
    case skipRuleApply = "skip-rule-apply"
    case runValidation = "run-validation"
    case networkNamespace = "network-namespace"
    case cniMode = "cni-mode"
    case reconcile
    case cleanupOnly = "cleanup-only"
    case forceApply = "force-apply"
    case nativeNFTables = "native-nftables"
    case forceIPTablesBinary = "force-iptables-binary"

    static let dryRunLetter: Character = "n"

    /// Whether it is on or off, and may be given without a value.
    var isSwitch: Bool {
        switch self {
        case .dryRun, .skipRuleApply, .runValidation, .cniMode, .reconcile, .cleanupOnly, .forceApply: true
        case .nativeNFTables: true
        case .probePort, .probeTimeout, .networkNamespace, .forceIPTablesBinary: false
        }
    }

    /// `DRY_RUN`: the name in capitals.
    var variable: String { String(rawValue.uppercased().map { $0 == "-" ? "_" : $0 }) }
}

/// What is done with the plan.
struct ActionOptions: ParsableArguments {
    @Option(
        name: [.customLong(ActionFlag.dryRun.rawValue), .customShort(ActionFlag.dryRunLetter)],
        help: .of(.dryRun, "Print the rules and touch nothing.")
    )
    var dryRun: SwitchValue?

    @Option(name: .of(.probePort), help: .of(.probePort, "Port that the validation connects to.", "15002"))
    var probePort: UInt16?

    @Option(name: .of(.probeTimeout), help: .of(.probeTimeout, "How long the validation tries.", "5s"))
    var probeTimeout: GoDuration?

    @Option(
        name: .of(.skipRuleApply),
        help: .of(.skipRuleApply, "Leave the rules as they are.")
    )
    var skipRuleApply: SwitchValue?

    @Option(
        name: .of(.runValidation),
        help: .of(.runValidation, "Prove that the namespace is redirected; as the proxy's user.")
    )
    var runValidation: SwitchValue?

    @Option(
        name: .of(.reconcile),
        help: .of(.reconcile, "Replace rules of iptables that differ; else they are an error.")
    )
    var reconcile: SwitchValue?

    @Option(
        name: .of(.cleanupOnly),
        help: .of(.cleanupOnly, "Remove redirection, with its routes, and do nothing else.")
    )
    var cleanupOnly: SwitchValue?

    @Option(
        name: .of(.forceApply),
        help: .of(.forceApply, "Apply again what is in force already.")
    )
    var forceApply: SwitchValue?

    @Option(
        name: .of(.nativeNFTables),
        help: .of(.nativeNFTables, "Speak to nf_tables; else iptables is used where it is installed.")
    )
    var nativeNFTables: SwitchValue?

    @Option(
        name: .of(.forceIPTablesBinary),
        help: .of(.forceIPTablesBinary, "The variant of iptables: legacy or nft.")
    )
    var forceIPTablesBinary: String?

    @Option(
        name: .of(.networkNamespace),
        help: .of(.networkNamespace, "Accepted, without effect: the namespace is the one it runs in.")
    )
    var networkNamespace: String?

    @Option(
        name: .of(.cniMode),
        help: .of(.cniMode, "Accepted, without effect: the plugin istio-cni does its own work.")
    )
    var cniMode: SwitchValue?
}

extension NameSpecification {
    fileprivate static func of(_ flag: ActionFlag) -> NameSpecification { [.customLong(flag.rawValue)] }
}

extension ArgumentHelp {
    fileprivate static func of(_ flag: ActionFlag, _ text: String, _ value: String? = nil) -> ArgumentHelp {
        let notes = [flag.variable] + (value.map { ["default: \($0)"] } ?? [])
        return ArgumentHelp(
            "\(text) (\(notes.joined(separator: "; ")))",
            valueName: flag.isSwitch ? SwitchValue.name : "value"
        )
    }
}
