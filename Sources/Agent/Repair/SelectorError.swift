internal import Redirect

/// Why a text is no selector.
package enum SelectorError: Error, Equatable, Sendable, CustomStringConvertible {
    case tooLong
    case tooManyTerms

    /// Nothing is found where the text ends too early.
    case unexpected(found: String, expected: String)

    package var description: String {
        switch self {
        case .tooLong: "it has more than \(Self.longestBytes) bytes"
        case .tooManyTerms: "it has more than \(Self.mostTerms) terms"
        case .unexpected("", let expected): "it ends where \(expected) is expected"
        case .unexpected(let found, let expected):
            "\(ShortenedText(found).description) stands where \(expected) is expected"
        }
    }

    /// The longest selector: what fits into the URL that upstream's watch would have (8 KiB is what proxies take).
    package static let longestBytes = 8 * 1_024

    /// The most terms of a selector: each is asked of every pod once a second.
    package static let mostTerms = 64

    /// Refuses what is too long before it is looked at.
    static func checkLength(of text: String) throws(SelectorError) {
        guard text.utf8.count <= longestBytes else { throw .tooLong }
    }
}
