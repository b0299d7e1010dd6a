/// A failure as the CNI specification reports it: one JSON object on standard output, and exit status 1.
///
/// <https://www.cni.dev/docs/spec/#error>
package struct CNIError: Error, Equatable, Sendable {
    package let code: Code

    /// One line for an operator, as it appears in `kubectl describe pod`.
    package let message: String

    /// The rest: what was read, the kernel's answer, the rule that was refused; may be empty.
    package let details: String

    /// The version of the configuration, where the failure came after it was known.
    package var version: CNIVersion?

    package init(_ code: Code, _ message: String, details: String = "", version: CNIVersion? = nil) {
        self.code = code
        self.message = message
        self.details = details
        self.version = version
    }

    /// The error for standard output: indented JSON and a newline.
    ///
    /// `configured` is the version of the configuration, where this error does not carry it.
    package func bytes(version configured: CNIVersion? = nil) -> [UInt8] {
        let version = self.version ?? configured ?? .latest
        var members = [
            JSONMember("cniVersion", .string(version.rawValue)),
            JSONMember("code", .integer(Int(code.rawValue))),
            JSONMember("msg", .string(message)),
        ]
        if !details.isEmpty { members.append(JSONMember("details", .string(details))) }
        return JSONValue.object(members).bytes(.indented) + [UInt8(ascii: "\n")]
    }

    package var description: String {
        details.isEmpty
            ? "\(message) (CNI code \(code.rawValue))" : "\(message): \(details) (CNI code \(code.rawValue))"
    }

    /// The longest piece of somebody's input that a message repeats, in characters: a line that people can read.
    private static let longestExcerpt = 100

    /// A piece of input in quotes and on one line, cut where it is long; control characters become U+FFFD.
    package static func quoting(_ input: String) -> String {
        let excerpt = input.unicodeScalars.prefix(longestExcerpt)
        let isCut = excerpt.endIndex < input.unicodeScalars.endIndex
        var quoted = "\""
        for scalar in excerpt {
            quoted.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? "\u{FFFD}" : scalar)
        }
        return quoted + (isCut ? "...\"" : "\"")
    }
}
