/// What `try` asks of itself inside the namespaces.
package struct DemonstrationRequest: Codable, Sendable {
    /// The pod, as JSON.
    package var pod: String

    /// The folder of `istio-cni`, `install-cni` and `istio-iptables`.
    package var programs: String

    /// A real Envoy to be the pod's proxy; nil for the stand-in.
    package var envoy: String?

    /// The only user that there is, where one is all that the kernel allows.
    package var onlyUser: UInt32?

    /// How the users came to be, in words.
    package var users: String
    package var extraUser: UInt32?
    package var keepsNamespaces: Bool

    /// Whether there is a user namespace, which an entry has to name.
    package var hasUserNamespace: Bool
}
