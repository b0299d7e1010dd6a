internal import LinuxKernel
internal import Redirect

/// What the kernel of this node can do.
package enum Capability {
    /// Tries the largest rule set that a pod can get, in a namespace made for that and gone afterwards.
    ///
    /// No pod's namespace and not the host's is touched: a probe must not change what it measures.
    ///
    /// - Returns: What the kernel refused, in words; nil if nf_tables does all that is needed.
    package static func missingFromNFTables() -> String? {
        do throws(KernelError) {
            let namespace = try NetworkNamespace.makeNew()
            try NFTablesSocket(in: namespace).commit(NFTablesBatch(RuleSet(largestPlan), replacing: []))
            return nil
        } catch {
            return error.description
        }
    }

    /// Both families, TPROXY, zones of connection tracking, and a set of each kind.
    private static let largestPlan = RedirectPlan(
        interceptionMode: .transparentProxy,
        redirectsIPv6: true,
        inboundPorts: .all(except: [15_020, 15_021]),
        outboundRanges: .only([.loopbackIPv4, .passthroughIPv4, .loopbackIPv6, .passthroughIPv6]),
        excludedOutboundPorts: [1, 2],
        excludedInterfaces: ["a", "b"],
        dns: .all,
        dropsInvalid: true
    )
}
