internal import CLinuxKernel

/// A netlink socket to the addresses, routes and routing rules of one network namespace (`rtnetlink(7)`).
package struct RouteSocket: ~Copyable, Sendable {
    let netlink: NetlinkSocket

    /// Opens a socket in `namespace`, where it stays whichever thread uses it.
    ///
    /// For more than one socket use ``NetworkNamespace/openSockets()``.
    package init(in namespace: borrowing NetworkNamespace) throws(KernelError) {
        self = try namespace.run { () throws(KernelError) in try RouteSocket() }
    }

    /// Opens a socket in the namespace of the calling thread.
    init() throws(KernelError) {
        netlink = try NetlinkSocket(protocol: NETLINK_ROUTE, name: "route")
    }
}
