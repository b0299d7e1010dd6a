/// Why the agent cannot talk to an API server at all, by the name of what is missing.
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The variable or the file.
    package let subject: String
    package let problem: String

    package init(_ subject: String, _ problem: String) {
        self.subject = subject
        self.problem = problem
    }

    package var description: String { "\(subject) \(problem)" }
}
