internal import CLinuxKernel

/// A route in a routing table.
package struct Route: Hashable, Sendable {
    package let family: InternetFamily
    package let table: UInt32

    /// 4 or 16 bytes in network order; zeros for the default route.
    package let destination: [UInt8]
    package let prefixLength: Int

    /// Whether its packets are for this host, whatever their destination (`RTN_LOCAL`).
    package let isLocal: Bool

    /// Whether they leave through `lo`.
    package let isThroughLoopback: Bool

    /// `ip route add local default dev lo table 133`: every packet is for this host.
    package static func localDefault(_ family: InternetFamily, table: UInt32) -> Route {
        Route(
            family: family,
            table: table,
            destination: [UInt8](repeating: 0, count: family.addressByteCount),
            prefixLength: 0,
            isLocal: true,
            isThroughLoopback: true
        )
    }
}

extension RouteSocket {
    /// The routes of one table.
    package func routes(_ family: InternetFamily, table: UInt32) throws(KernelError) -> [Route] {
        var result: [Route] = []
        for entry in try list("list routes", RTM_GETROUTE, family: family.rawValue, headerByteCount: 12) {
            if let route = try Route(entry, family), route.table == table { result.append(route) }
        }
        return result
    }

    /// Adds ``Route/localDefault(_:table:)``; `lo` must be up.
    package func addLocalDefaultRoute(_ family: InternetFamily, table: UInt32) throws(KernelError) {
        try change("add", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, family, table)
    }

    /// Removes ``Route/localDefault(_:table:)``.
    package func removeLocalDefaultRoute(_ family: InternetFamily, table: UInt32) throws(KernelError) {
        try change("remove", RTM_DELROUTE, 0, family, table)
    }

    private func change(
        _ verb: String,
        _ type: Int,
        _ flags: Int32,
        _ family: InternetFamily,
        _ table: UInt32
    ) throws(KernelError) {
        let operation = "\(verb)\(family == .ipv4 ? "" : " -6") route local default dev lo table \(table)"
        try netlink.change(operation: operation, type: UInt16(type), flags: flags) { writer in
            writer.append(family.rawValue)
            for _ in 1...3 { writer.append(UInt8(0)) }
            writer.append(UInt8(0))  // RT_TABLE_UNSPEC: the attribute has the table, which may be over 255.
            writer.append(UInt8(RTPROT_BOOT))
            writer.append(UInt8(RT_SCOPE_HOST.rawValue))
            writer.append(UInt8(RTN_LOCAL))
            writer.append(UInt32(0))
            writer.attribute(UInt16(RTA_TABLE.rawValue), hostOrder: table)
            writer.attribute(UInt16(RTA_OIF.rawValue), hostOrder: Self.loopbackIndex)
        }
    }
}

extension Route {
    /// Reads an entry of the list of routes.
    init?(_ entry: RouteEntry, _ family: InternetFamily) throws(KernelError) {
        // struct rtmsg: family, destination and source prefix, service, table, protocol, scope, type, flags.
        guard let prefixLength = entry.header.integer(UInt8.self, at: 1),
            let shortTable = entry.header.integer(UInt8.self, at: 4),
            let type = entry.header.integer(UInt8.self, at: 7)
        else { return nil }
        let device = try entry.attributes.hostOrder(UInt16(RTA_OIF.rawValue))
        let destination = entry.attributes[UInt16(RTA_DST.rawValue)].map { [UInt8]($0) }
        self.family = family
        table = try entry.attributes.hostOrder(UInt16(RTA_TABLE.rawValue)) ?? UInt32(shortTable)
        self.destination = destination ?? [UInt8](repeating: 0, count: family.addressByteCount)
        self.prefixLength = Int(prefixLength)
        isLocal = type == UInt8(RTN_LOCAL)
        isThroughLoopback = device == RouteSocket.loopbackIndex
    }
}
