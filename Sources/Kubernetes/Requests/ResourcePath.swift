/// The path of an object, or of all objects of a kind, at an API server.
///
/// Names may come from a container runtime or a pod, so only what can be a name becomes part of a path: letters
/// that mean something to a URL never do.
package struct ResourcePath: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package var description: String { text }

    private init(_ text: String) { self.text = text }

    /// All pods that the selectors of a query leave.
    package static let pods = ResourcePath("/api/v1/pods")

    /// Nil where a name cannot be one.
    package static func pod(_ name: String, in namespace: String) -> ResourcePath? {
        object(name, "pods", in: namespace)
    }

    /// What the right to patch `pods/status` is enough for: labels and annotations too.
    package static func podStatus(_ name: String, in namespace: String) -> ResourcePath? {
        object(name, "pods", in: namespace, ending: "/status")
    }

    package static func daemonSet(_ name: String, in namespace: String) -> ResourcePath? {
        object(name, "daemonsets", in: namespace, group: "/apis/apps/v1")
    }

    package static func node(_ name: String) -> ResourcePath? {
        isName(name) ? ResourcePath("/api/v1/nodes/\(name)") : nil
    }

    package static func events(in namespace: String) -> ResourcePath? {
        isName(namespace) ? ResourcePath("/api/v1/namespaces/\(namespace)/events") : nil
    }

    package static func event(_ name: String, in namespace: String) -> ResourcePath? {
        object(name, "events", in: namespace)
    }

    private static func object(
        _ name: String,
        _ resource: String,
        in namespace: String,
        group: String = "/api/v1",
        ending: String = ""
    ) -> ResourcePath? {
        guard isName(name), isName(namespace) else { return nil }
        return ResourcePath("\(group)/namespaces/\(namespace)/\(resource)/\(name)\(ending)")
    }

    /// Whether this is a DNS subdomain (RFC 1123): lower-case letters, digits, `-` and `.`, none of these two at an end.
    package static func isName(_ text: String) -> Bool {
        guard (1...longestNameBytes).contains(text.utf8.count), let first = text.utf8.first, let last = text.utf8.last
        else { return false }
        return isLetter(first) && isLetter(last)
            && text.utf8.allSatisfy { byte in
                isLetter(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            }
    }

    /// The longest name that Kubernetes takes (`DNS1123SubdomainMaxLength`).
    private static let longestNameBytes = 253

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
