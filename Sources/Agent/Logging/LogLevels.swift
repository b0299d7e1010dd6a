package import Logging
internal import Redirect

/// What `--log_output_level` says: `default:info,cni-plugin:debug`, or a level alone for those that are not named.
///
/// The scope `all` wins over every other one.
package struct LogLevels: Equatable, Sendable {
    /// Nil stands for `none`.
    private var levels: [String: Logger.Level?] = [:]

    /// The most scopes; there are two here, and the official chart names a few of upstream's.
    private static let mostScopes = 64

    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let text: String
        package var description: String {
            "\(ShortenedText(text).description) is not a level; expected scope:level with one of "
                + LogLevels.words
        }
    }

    package static let words = "debug, info, warn, error, fatal, none"

    /// Info for all scopes.
    package init() {}

    package init(_ text: String) throws(Failure) {
        let parts = text.split(separator: ",")
        guard parts.count <= Self.mostScopes else { throw Failure(text: text) }
        for part in parts {
            let pair = part.split(separator: ":", maxSplits: 1)
            let scope = pair.count == 2 ? String(pair[0]) : "default"
            switch pair.last.map({ word in String(word) }) {
            case "debug": levels[scope] = .some(.debug)
            case "info": levels[scope] = .some(.info)
            case "warn": levels[scope] = .some(.warning)
            case "error": levels[scope] = .some(.error)
            case "fatal": levels[scope] = .some(.critical)
            case "none": levels[scope] = .some(nil)
            default: throw Failure(text: String(part))
            }
        }
    }

    /// The least serious level that is written for a scope, or nil where nothing is.
    package func level(of scope: String) -> Logger.Level? {
        if let level = levels["all"] { return level }
        if let level = levels[scope] { return level }
        if let level = levels["default"] { return level }
        return .info
    }

    /// The level of a scope as it is written, for the plugin's entry (`plugin_log_level`).
    package func word(of scope: String) -> String { level(of: scope).map { level in Self.word(for: level) } ?? "none" }

    /// A level as upstream's log has it.
    static func word(for level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "debug"
        case .info, .notice: "info"
        case .warning: "warn"
        case .error: "error"
        case .critical: "fatal"
        }
    }
}
