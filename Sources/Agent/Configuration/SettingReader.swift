internal import Redirect

/// Reads settings: what was typed, else the environment, else the default.
///
/// What cannot be read is noted and reads as its default, so that one start names every mistake.
struct SettingReader {
    private let arguments: [AgentSetting: String]
    private let environment: [String: String]
    private(set) var problems: [String] = []

    init(arguments: [AgentSetting: String], environment: [String: String]) {
        self.arguments = arguments
        self.environment = environment
    }

    /// Whether something sets it, be it to nothing.
    func isSet(_ setting: AgentSetting) -> Bool { given(setting) != nil }

    /// What sets it, and to what: a variable that is set to nothing is set, as upstream has it.
    private func given(_ setting: AgentSetting) -> (name: String, text: String)? {
        if let text = arguments[setting] { return (setting.name, text) }
        for variable in setting.variables {
            if let text = environment[variable] { return (variable, text) }
        }
        return nil
    }

    mutating func text(_ setting: AgentSetting) -> String {
        guard let (name, text) = given(setting) else { return setting.defaultValue }
        let form = setting.form
        if text.isEmpty {
            switch form {
            case .boolean, .number, .portOrNone, .text, .names, .fileName, .logLevels: return ""
            case .labelSelector, .fieldSelector: return ""
            case .choice: return setting.defaultValue
            case .directory, .podSource:
                problems.append("\(name) is empty; expected \(form.expectation)")
                return setting.defaultValue
            }
        }
        guard form.accepts(text) else {
            let reason = form.selectorError(in: text).map { error in ", but \(error.description)" } ?? ""
            problems.append("\(name) is \(ShortenedText(text).description)\(reason); expected \(form.expectation)")
            return setting.defaultValue
        }
        return text
    }

    /// Nothing is false.
    mutating func isOn(_ setting: AgentSetting) -> Bool { Bool(goText: text(setting)) ?? false }

    /// Nothing is 0.
    mutating func number(_ setting: AgentSetting) -> Int { Int(text(setting)) ?? 0 }

    mutating func names(_ setting: AgentSetting) -> [String] { SettingForm.names(text(setting)) }

    /// Notes settings that are good each and cannot work together.
    mutating func note(_ problem: String) { problems.append(problem) }
}
