/// Why a list or a watch came to its end.
///
/// A closed set, so that it can be the label of a metric.
package enum Interruption: String, CaseIterable, Equatable, Sendable {
    /// The server ended the watch, as it does every few minutes.
    case ended

    /// No connection, or it was cut.
    case disconnected

    /// Nothing came for longer than a healthy server takes.
    case silent

    /// The server no longer has the changes since our version (`410 Gone`).
    case expired

    /// The server asks for a pause (`429 Too Many Requests`).
    case throttled

    /// Token or rights are missing (401, 403).
    case forbidden

    /// Any other status.
    case failed

    /// What came is not what an API server sends.
    case unreadable

    /// The settings for the API server are missing or broken.
    case unconfigured
}
