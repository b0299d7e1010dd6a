internal import Redirect

/// What the value of a setting may look like.
package enum SettingForm: Equatable, Sendable {
    case text
    case boolean
    case number(ClosedRange<Int>)
    case portOrNone
    case choice([String])
    case directory
    case fileName(endings: [String])
    case names
    case podSource
    case logLevels
    case labelSelector
    case fieldSelector

    /// Completes "expected ...".
    package var expectation: String {
        switch self {
        case .text: "any text"
        case .boolean: ValueForm.boolean.expectation
        case .number(let range): "a number \(range.lowerBound)-\(range.upperBound)"
        case .portOrNone: "a port 1-65535, or 0 or less for none"
        case .choice(let words): Self.alternatives(words)
        case .directory: "an absolute path of at most \(Self.longestPathBytes) bytes"
        case .fileName([]): "a file name, without a directory"
        case .fileName(let endings): "a file name, without a directory, that ends with \(Self.alternatives(endings))"
        case .names: "a comma-separated list of at most \(Self.mostNames) names"
        case .podSource: "api, or directory:PATH"
        case .logLevels: "scope:level,... with \(LogLevels.words)"
        case .labelSelector: LabelSelector.expectation
        case .fieldSelector: FieldSelector.expectation
        }
    }

    private static func alternatives(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.joined() }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }

    /// Whether a text that is not empty is a value of this form.
    func accepts(_ text: String) -> Bool {
        guard text.utf8.count <= Self.longestTextBytes, !text.utf8.contains(0) else { return false }
        switch self {
        case .text: return true
        case .boolean: return Bool(goText: text) != nil
        case .number(let range): return Int(text).map { number in range.contains(number) } ?? false
        case .portOrNone: return Int(text).map { number in number <= 65_535 } ?? false
        case .choice(let words): return words.contains(text)
        case .directory: return text.hasPrefix("/") && text.utf8.count <= Self.longestPathBytes
        case .fileName(let endings): return Self.isFileName(text, endings: endings)
        case .names: return Self.names(text).count <= Self.mostNames
        case .podSource: return AgentConfiguration.PodSource(text) != nil
        case .logLevels: return Self.levels(text) != nil
        case .labelSelector, .fieldSelector: return selectorError(in: text) == nil
        }
    }

    /// What is wrong with a selector: of a long one, "expected ..." alone does not say which term it is about.
    func selectorError(in text: String) -> SelectorError? {
        do throws(SelectorError) {
            switch self {
            case .labelSelector: _ = try LabelSelector(text)
            case .fieldSelector: _ = try FieldSelector(text)
            default: break
            }
            return nil
        } catch {
            return error
        }
    }

    private static func isFileName(_ text: String, endings: [String]) -> Bool {
        guard !text.contains("/"), text != ".", text != "..", text.utf8.count <= longestNameBytes else { return false }
        return endings.isEmpty || endings.contains { ending in text.hasSuffix(ending) && text != ending }
    }

    private static func levels(_ text: String) -> LogLevels? {
        do throws(LogLevels.Failure) {
            return try LogLevels(text)
        } catch {
            return nil
        }
    }

    /// The elements of a list, without blanks around them and without empty ones.
    static func names(_ text: String) -> [String] {
        text.split(separator: ",").compactMap { part in
            let words = part.split { character in character.isWhitespace }
            return words.isEmpty ? nil : words.joined(separator: " ")
        }
    }

    /// A variable of the kernel has at most 128 KiB (`MAX_ARG_STRLEN`); no setting comes near.
    private static let longestTextBytes = 64 * 1_024

    /// `PATH_MAX` less its zero.
    private static let longestPathBytes = 4_095

    /// `NAME_MAX`.
    private static let longestNameBytes = 255

    /// More namespaces than this are a mistake; each costs the plugin a comparison per call.
    private static let mostNames = 10_000
}
