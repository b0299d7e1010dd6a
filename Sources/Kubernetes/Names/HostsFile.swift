internal import NIOCore

/// `/etc/hosts` (`hosts(5)`): addresses, each with its names.
struct HostsFile {
    private let lines: [[Substring]]

    /// The largest file that is read, in bytes: a kubelet writes a few hundred.
    static let largestBytes = 1_024 * 1_024

    init(_ text: String) { lines = ConfigurationLines.words(of: text) }

    /// The addresses of a name, whatever the case of its letters.
    func addresses(of name: String) -> [String] {
        let wanted = name.lowercased()
        return lines.compactMap { words in
            guard let address = words.first, words.dropFirst().contains(where: { word in word.lowercased() == wanted })
            else { return nil }
            return isAddress(address) ? String(address) : nil
        }
    }
}

/// `/etc/resolv.conf` (`resolv.conf(5)`), of which only the name servers count.
///
/// A name of an API server has a dot, so it is asked for as it is.
struct ResolverConfiguration: Equatable {
    let servers: [String]

    static let largestBytes = 64 * 1_024

    /// As many as the C library takes (`MAXNS`).
    private static let mostServers = 3

    init(_ text: String) {
        let named = ConfigurationLines.words(of: text).compactMap { words -> String? in
            guard words.count > 1, words[0] == "nameserver", isAddress(words[1]) else { return nil }
            return String(words[1])
        }
        // The C library's default.
        servers = named.isEmpty ? ["127.0.0.1"] : Array(named.prefix(Self.mostServers))
    }
}

private func isAddress(_ text: Substring) -> Bool {
    // Parses, and resolves nothing; what it throws says only that this is no address.
    (try? SocketAddress(ipAddress: String(text), port: 0)) != nil
}

/// The words of each line that has some, without comments.
private enum ConfigurationLines {
    static func words(of text: String) -> [[Substring]] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.prefix { character in character != "#" && character != ";" }
                .split { character in character == " " || character == "\t" }
            return words.isEmpty ? nil : words
        }
    }
}
