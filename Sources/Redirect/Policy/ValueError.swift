/// Why a value that an operator wrote was refused, and what would have been accepted.
package struct ValueError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The value, shortened.
    package let value: ShortenedText
    package let problem: Problem
    package let form: ValueForm

    package enum Problem: Equatable, Sendable {
        case notAccepted

        /// One element of a list; the first is number 1.
        case elementNotAccepted(ShortenedText, number: Int)
        case emptyElement(number: Int)

        /// `*`, where everything cannot be meant.
        case wildcard
        case tooLong(bytes: Int, limit: Int)
        case tooManyElements(count: Int, limit: Int)
        case noElement
    }

    init(_ value: String, _ problem: Problem, _ form: ValueForm) {
        self.value = ShortenedText(value)
        self.problem = problem
        self.form = form
    }

    package var description: String { "\(complaint); expected \(form.expectation)" }

    private var complaint: String {
        switch problem {
        case .notAccepted: "\(value.description) is not \(form.element)"
        case .elementNotAccepted(let element, let number):
            "\(value.description): element \(number), \(element.description), is not \(form.element)"
        case .emptyElement(let number):
            value.isComplete
                ? "\(value.description) has an empty element"
                : "\(value.description) has an empty element (number \(number))"
        case .wildcard: "\(value.description) cannot be used here"
        case .tooLong(let bytes, let limit): "\(value.description) has \(bytes) bytes, more than \(limit)"
        case .tooManyElements(let count, let limit):
            "\(value.description) has \(count) elements, more than \(limit)"
        case .noElement: "\(value.description) names nothing"
        }
    }
}

/// A pod's annotation that was refused, in words for the person who has to repair it.
package struct AnnotationError: Error, Equatable, Sendable, CustomStringConvertible {
    package let annotation: Annotation
    package let reason: ValueError

    package var description: String { "\(annotation.name): \(reason.description)" }
}

/// A flag or variable of `istio-iptables` that was refused.
package struct FlagError: Error, Equatable, Sendable, CustomStringConvertible {
    package let flag: RedirectFlag
    package let reason: ValueError

    package var description: String { "\(flag.name): \(reason.description)" }
}

/// Text from outside, cut to a length and made harmless for a terminal and a log line.
package struct ShortenedText: Equatable, Sendable, CustomStringConvertible {
    /// Enough to recognise a value, and little enough for `kubectl describe pod`.
    package static let longestCharacters = 200

    /// Unicode scalars and not `Character`s, since one of those can be of any length.
    private let scalars: String

    /// Whether nothing was cut off.
    package let isComplete: Bool

    package init(_ text: some StringProtocol) {
        var kept = ""
        for scalar in text.unicodeScalars.prefix(Self.longestCharacters) { kept.unicodeScalars.append(scalar) }
        scalars = kept
        isComplete = kept.utf8.count == text.utf8.count
    }

    /// The text in quotes, with control characters and what changes the direction of writing escaped.
    package var description: String {
        var quoted = "\""
        for scalar in scalars.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5C:
                quoted += "\\"
                quoted.unicodeScalars.append(scalar)
            case 0...0x1F, 0x7F...0x9F, 0x200B...0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF:
                quoted += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + (isComplete ? "\"" : "\"...")
    }
}
