package import CNIProtocol

/// The version of this project, which all its programs share.
package enum ProductVersion {
    /// A semantic version; `-dev` until it is released.
    package static let text = "0.1.0-dev"

    /// For programs; the keys are those of upstream's commands.
    package static let value = JSONValue.object([
        JSONMember("clientVersion", .object([JSONMember("version", .string(text))]))
    ])
}
