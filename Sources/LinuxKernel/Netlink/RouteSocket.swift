internal import CLinuxKernel

/// A netlink socket to the addresses, routes and routing rules of one network namespace (`rtnetlink(7)`).
///
/// What is there already is refused with ``Errno/alreadyExists``. What is not there is refused with
/// ``Errno/noSuchEntry`` (a routing rule), ``Errno/noSuchProcess`` (a route) or
/// ``Errno/addressNotAvailable`` (an address).
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

    /// Asks for all entries of a kind.
    func list(
        _ operation: String,
        _ type: Int,
        family: UInt8,
        headerByteCount: Int
    ) throws(KernelError) -> [RouteEntry] {
        let messages = try netlink.dump(operation: operation, type: UInt16(type)) { writer in
            writer.append(family)
            for _ in 1..<headerByteCount { writer.append(UInt8(0)) }
        }
        var result: [RouteEntry] = []
        for message in messages {
            result.append(try RouteEntry(message, headerByteCount: headerByteCount, operation: operation))
        }
        return result
    }

    /// The index of `lo`: the first interface of every network namespace (`LOOPBACK_IFINDEX` in
    /// the kernel's `include/net/flow.h`).
    static let loopbackIndex: UInt32 = 1
}

/// One message of a list of rtnetlink: a fixed structure, then attributes.
struct RouteEntry {
    let header: ArraySlice<UInt8>
    let attributes: NetlinkAttributes

    init(_ message: NetlinkMessage, headerByteCount: Int, operation: String) throws(KernelError) {
        var reader = NetlinkReader(message.body, operation: operation)
        try reader.skipHeader(headerByteCount)
        header = message.body.prefix(headerByteCount)
        attributes = try reader.attributes()
    }
}
