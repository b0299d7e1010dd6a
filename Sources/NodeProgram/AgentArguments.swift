import Agent

/// The agent's command line, made ready for the parser: switches get a value, and flags that are none of ours are
/// named and set aside instead of refused.
///
/// A chart that is newer than the agent, or one that was written for upstream's, must not keep a node without one.
enum AgentArguments {
    /// The hidden flag that carries the name of one that was set aside.
    static let otherFlag = "other-flag"

    /// - Parameters:
    ///   - arguments: Those after the program's name.
    ///   - commands: Words that begin a command, which reads the rest by itself.
    /// - Returns: What the parser reads.
    static func prepared(_ arguments: [String], commands: Set<String>) -> [String] {
        var result: [String] = []
        var rest = arguments[...]
        while let word = rest.first {
            guard word.hasPrefix("--"), word != "--" else {
                if commands.contains(word) { return result + rest.flatMap { word in spelledOut(word) } }
                result.append(rest.removeFirst())
                continue
            }
            rest.removeFirst()
            let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            let value = parts.count == 2 ? String(parts[1]) : nil
            if let setting = AgentSetting.byFlag[name] {
                // In two words, since the parser takes no empty value behind an equals sign.
                result.append("--\(name)")
                if let value = value ?? (setting.form == .boolean ? "true" : rest.popFirst()) { result.append(value) }
            } else if own.contains(name) {
                result.append(word)
            } else {
                result.append("--\(otherFlag)=\(name)")
                let isSwitch = IdleSetting.byFlag[name]?.isSwitch ?? false
                // The word after it is its value, unless that is a flag.
                if value == nil, !isSwitch, let next = rest.first, !next.hasPrefix("-") { rest.removeFirst() }
            }
        }
        return result
    }

    /// A switch of the agent behind a command, with its value; every other word as it is, since it may be the command's.
    private static func spelledOut(_ word: String) -> [String] {
        let isSwitch = word.hasPrefix("--") && AgentSetting.byFlag[String(word.dropFirst(2))]?.form == .boolean
        return isSwitch ? [word, "true"] : [word]
    }

    /// Flags of the parser itself.
    private static let own: Set<String> = [
        "help", "help-hidden", "version", "generate-completion-script", "experimental-dump-help", otherFlag,
    ]
}
