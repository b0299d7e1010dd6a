internal import NIOCore

/// Where the API server is, as the kubelet tells each container.
package struct ServerAddress: Equatable, Sendable {
    package enum Scheme: String, Sendable {
        case http, https
    }

    package let scheme: Scheme

    /// A name, or an address without brackets.
    package let host: String
    package let port: Int

    /// Takes what `KUBERNETES_SERVICE_HOST`, `_PORT` and `_PROTOCOL` say.
    package init(scheme: Scheme = .https, host: String, port: Int) throws(ConfigurationError) {
        guard !host.isEmpty else {
            throw ConfigurationError(
                "KUBERNETES_SERVICE_HOST",
                "is not set; the kubelet sets it in every pod, so the agent does not seem to run in one "
                    + "(--pod-source=directory:PATH does without an API server)"
            )
        }
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        guard Self.isHost(bare) else {
            throw ConfigurationError("KUBERNETES_SERVICE_HOST", "is \"\(host)\": neither an address nor a host name")
        }
        guard (1...65_535).contains(port) else {
            throw ConfigurationError("KUBERNETES_SERVICE_PORT", "is \(port): no number 1-65535")
        }
        self.scheme = scheme
        self.host = bare
        self.port = port
    }

    /// Whether the text can stand in a URL, and nothing else comes of it: an address, or a host name.
    private static func isHost(_ text: String) -> Bool {
        isAddress(text)
            || (1...253).contains(text.utf8.count)
                && text.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                        UInt8(ascii: "_"):
                        true
                    default: false
                    }
                }
    }

    private static func isAddress(_ text: String) -> Bool {
        // Parses, and resolves nothing; what it throws says only that this is no address. A zone (`%eth0`) is no part
        // of an address that all nodes are told.
        !text.utf8.contains(UInt8(ascii: "%")) && (try? SocketAddress(ipAddress: text, port: 0)) != nil
    }

    /// Whether the host has to be resolved.
    package var isName: Bool { !Self.isAddress(host) }

    /// What a path is put behind: `https://[fd00::1]:443`.
    package var url: String {
        "\(scheme.rawValue)://\(host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host):\(port)"
    }
}
