internal import Enforcement
package import Redirect

/// Which back-end goes into the plans of this node (architecture, decision 5).
package struct BackendChoice: Equatable, Sendable {
    package let backend: RedirectPlan.Backend

    /// Why, for the log and `/v1/status`.
    package let reason: String

    /// A setting that cannot be followed.
    package enum Failure: Error, Equatable, CustomStringConvertible {
        case unknownBackend(String)
        case nftablesMissing(String)

        package var description: String {
            switch self {
            case .unknownBackend(let text):
                "REDIRECT_BACKEND is \(ShortenedText(text).description); expected nftables, iptables, auto or nothing"
            case .nftablesMissing(let reason):
                "NATIVE_NFTABLES is true, but the kernel does not take the rules: \(reason)"
            }
        }
    }

    /// Chooses once, when the agent starts.
    ///
    /// - Parameters:
    ///   - environment: Of it `REDIRECT_BACKEND` and `NATIVE_NFTABLES` count.
    ///   - missing: What nf_tables of this kernel lacks, or nil; asked only where it matters.
    /// - Throws: What is set and cannot be followed.
    package init(
        environment: [String: String],
        missingFromNFTables missing: () -> String? = Capability.missingFromNFTables
    ) throws(Failure) {
        switch environment["REDIRECT_BACKEND"] ?? "" {
        case "nftables": self.init(.nftables, "REDIRECT_BACKEND is nftables")
        case "iptables": self.init(.iptables, "REDIRECT_BACKEND is iptables")
        case "", "auto":
            let lack = missing()
            if let lack {
                // A value that is no boolean counts as false, as for upstream's agent.
                guard Bool(goText: environment["NATIVE_NFTABLES"] ?? "") != true else {
                    throw .nftablesMissing(lack)
                }
                self.init(.iptables, "nf_tables lacks something: \(lack)")
            } else {
                self.init(.nftables, "the kernel takes every rule")
            }
        case let other: throw .unknownBackend(other)
        }
    }

    package init(_ backend: RedirectPlan.Backend, _ reason: String) {
        self.backend = backend
        self.reason = reason
    }
}
