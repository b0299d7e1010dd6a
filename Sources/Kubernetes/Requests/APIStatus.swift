package import CNIProtocol

/// What an API server says about a request that it refused: its `Status` object (`meta/v1`).
package struct APIStatus: Equatable, Sendable, CustomStringConvertible {
    /// The HTTP status.
    package var code: Int

    /// A word for programs: `NotFound`, `Expired`, `Conflict`.
    package var reason: String

    /// A sentence for people.
    package var message: String

    /// The words of `details.causes`: `NamespaceTerminating`.
    package var causes: [String]

    /// How long the server asks to be left alone.
    package var retryAfter: Duration?

    package init(
        code: Int,
        reason: String = "",
        message: String = "",
        causes: [String] = [],
        retryAfter: Duration? = nil
    ) {
        self.code = code
        self.reason = reason
        self.message = message
        self.causes = causes
        self.retryAfter = retryAfter
    }

    /// Reads a `Status`; what is missing in it is empty, since a proxy on the way may answer too.
    package init(_ object: JSONValue, code: Int? = nil) {
        let details = object["details"]
        self.init(
            code: code ?? object["code"]?.integer ?? 500,
            reason: object["reason"]?.string ?? "",
            message: String((object["message"]?.string ?? "").prefix(Self.longestMessageCharacters)),
            causes: details?["causes"]?.array?.compactMap { cause in cause["reason"]?.string } ?? [],
            retryAfter: details?["retryAfterSeconds"]?.integer.map { seconds in .seconds(seconds) }
        )
    }

    /// What is kept of a message, which goes into logs and Events: an Event's own message has at most 1,024.
    private static let longestMessageCharacters = 1_024

    package var description: String {
        let words = reason.isEmpty ? "\(code)" : "\(code) \(reason)"
        return message.isEmpty ? words : "\(words): \(message)"
    }

    /// Whether the version that was asked for is no longer kept.
    package var isExpired: Bool { code == 410 || reason == "Expired" || reason == "Gone" }
}
