/// Why a host name has no address.
package struct NameError: Error, Equatable, Sendable, CustomStringConvertible {
    package let name: String

    /// One reason for each place that was asked.
    package let reasons: [String]

    package var description: String {
        "the host name \(name) cannot be resolved: \(reasons.joined(separator: "; "))"
    }
}
