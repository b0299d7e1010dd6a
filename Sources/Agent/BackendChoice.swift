internal import Enforcement
package import Redirect

/// What the environment says about the back-end (`REDIRECT_BACKEND`).
package enum BackendSetting: String, Equatable, Sendable {
    case auto
    case nftables
    case iptables
}

/// Which back-end goes into the plans of this node (architecture, decision 5).
package struct BackendChoice: Equatable, Sendable {
    package let backend: RedirectPlan.Backend

    /// Why, for the log and `/v1/status`.
    package let reason: String

    /// A setting that cannot be followed.
    package enum Failure: Error, Equatable, CustomStringConvertible {
        case nftablesMissing(String)

        package var description: String {
            switch self {
            case .nftablesMissing(let reason):
                "NATIVE_NFTABLES is true, but the kernel does not take the rules: \(reason); "
                    + "load the kernel module, or set NATIVE_NFTABLES to false"
            }
        }
    }

    /// Chooses once, when the agent starts.
    ///
    /// - Parameters:
    ///   - setting: Forces one, or leaves it to the kernel.
    ///   - isNativeNFTables: Whether nothing but nftables will do (`NATIVE_NFTABLES`).
    ///   - missing: What nf_tables of this kernel lacks, or nil; asked only where it matters.
    /// - Throws: What is set and cannot be followed.
    package init(
        _ setting: BackendSetting,
        isNativeNFTables: Bool,
        missingFromNFTables missing: () -> String? = Capability.missingFromNFTables
    ) throws(Failure) {
        switch setting {
        case .nftables: self.init(.nftables, "REDIRECT_BACKEND is nftables")
        case .iptables: self.init(.iptables, "REDIRECT_BACKEND is iptables")
        case .auto:
            if let lack = missing() {
                guard !isNativeNFTables else { throw .nftablesMissing(lack) }
                self.init(.iptables, "nf_tables lacks something: \(lack)")
            } else {
                self.init(.nftables, "the kernel takes every rule")
            }
        }
    }

    package init(_ backend: RedirectPlan.Backend, _ reason: String) {
        self.backend = backend
        self.reason = reason
    }
}
