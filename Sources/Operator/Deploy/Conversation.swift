/// What a long work says, and asks.
package struct Conversation: Sendable {
    /// One line of progress or result.
    package let say: @Sendable (String) -> Void

    /// One line about something that is not as it might be.
    package let warn: @Sendable (String) -> Void

    /// Whether to go on; false where nobody answers.
    package let confirm: @Sendable (String) -> Bool

    package init(
        say: @escaping @Sendable (String) -> Void,
        warn: @escaping @Sendable (String) -> Void,
        confirm: @escaping @Sendable (String) -> Bool
    ) {
        self.say = say
        self.warn = warn
        self.confirm = confirm
    }
}

/// How a work ended that was not an error.
package enum DeployOutcome: Equatable, Sendable {
    case done

    /// Somebody said no.
    case cancelled

    /// It was done as far as it could be, and something is to be looked after; it has been said what.
    case unfinished
}

/// That something is not begun, since it would harm or not work.
package struct Refusal: Error, Equatable, CustomStringConvertible {
    package let description: String
}
