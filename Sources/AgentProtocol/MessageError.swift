/// Why a message of plugin or agent was refused: which field of it, and what is wrong there.
package struct MessageError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The path of the field (`plan.ports.inbound`), or what the message is where it cannot be read at all.
    package let field: String

    package let problem: Problem

    package enum Problem: Equatable, Sendable {
        /// The bytes are no JSON; the text says where and why.
        case unreadable(String)

        case missing

        /// Completes "is not ...".
        case notA(String)

        case tooLong(limit: Int)
        case tooMany(limit: Int)

        /// The message has a member that its version does not know, or one of them twice.
        case unknownMember

        /// Another version of the message than the one known here.
        case unknownVersion(Int)

        /// An answer with a status that does not belong to the request.
        case unexpectedStatus(Int)
    }

    package init(_ field: String, _ problem: Problem) {
        self.field = field
        self.problem = problem
    }

    package var description: String {
        switch problem {
        case .unreadable(let reason): "\(field) cannot be read: \(reason)"
        case .missing: "\(field) is missing"
        case .notA(let expected): "\(field) is not \(expected)"
        case .tooLong(let limit): "\(field) is longer than \(limit) bytes"
        case .tooMany(let limit): "\(field) has more than \(limit) elements"
        case .unknownMember: "\(field) has a member that is unknown, or one of them twice"
        case .unknownVersion(let version): "\(field) is \(version), which is not known here"
        case .unexpectedStatus(let status): "\(field) has the unexpected status \(status)"
        }
    }
}

/// How large a message may be.
///
/// Both ends check, since neither trusts the other.
package enum MessageLimits {
    /// The longest name of a Kubernetes object: a DNS subdomain (RFC 1123).
    package static let nameBytes = 253

    /// The longest UID; the API server writes 36 bytes, a static pod has 32.
    package static let identifierBytes = 256

    /// The most addresses of one sandbox: two families on each of 32 interfaces.
    package static let addresses = 64

    /// The longest text of an address range: `INET6_ADDRSTRLEN` less its zero, `/` and three digits.
    package static let addressBytes = 49

    /// The most plan versions that one side knows: a few releases' worth.
    package static let planVersions = 16

    /// The longest sentence for people, which may quote an annotation's shortened value twice.
    package static let sentenceBytes = 8 * 1_024

    /// The longest list in a plan: 10,000 elements of an annotation, and the ports that are always added.
    package static let planElements = 10_016

    /// The most log lines of one CNI call, and the longest of them.
    package static let logLines = 128
    package static let logLineBytes = 8 * 1_024

    /// The longest phase, in µs: ten minutes, far beyond what a runtime waits.
    package static let phaseMicroseconds = 600_000_000

    /// The longest body that the agent takes with `/v1/add`.
    package static let addBodyBytes = 64 * 1_024

    /// The longest body that the agent takes with log lines: half of the lines that are allowed, at full length.
    package static let logBodyBytes = 512 * 1_024
}
