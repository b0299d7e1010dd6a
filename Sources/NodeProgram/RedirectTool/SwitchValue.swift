import ArgumentParser
import Redirect

/// The value of a flag that is on or off, and may be given without one, as Go's are: `--dry-run`, `--dry-run=false`.
struct SwitchValue: Equatable, ExpressibleByArgument, CustomStringConvertible {
    let isOn: Bool

    init?(argument: String) {
        guard let isOn = Bool(goText: argument) else { return nil }
        self.isOn = isOn
    }

    var description: String { "\(isOn)" }

    /// In the help.
    static let name = "true|false"

    /// Writes out the value of each switch that has none, as Go reads it: the word after it is not its value.
    static func spelledOut(_ arguments: [String]) -> [String] {
        var result: [String] = []
        for (index, argument) in arguments.enumerated() {
            if argument == "--" { return result + arguments[index...] }
            result.append(switches.contains(argument) ? argument + "=true" : argument)
        }
        return result
    }

    private static let switches: Set<String> = {
        let redirection = RedirectFlag.allCases.filter { $0.form == .boolean }.compactMap { $0.flag }
        let actions = ActionFlag.allCases.filter { $0.isSwitch }.map { $0.rawValue }
        let names = redirection + actions + [LogOptions.jsonName]
        return Set(names.map { "--" + $0 } + ["-\(ActionFlag.dryRunLetter)"])
    }()
}
