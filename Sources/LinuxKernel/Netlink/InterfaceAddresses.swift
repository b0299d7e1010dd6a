internal import CLinuxKernel

/// An address of an interface.
package struct InterfaceAddress: Hashable, Sendable {
    package let interfaceName: String
    package let family: InternetFamily

    /// 4 or 16 bytes in network order.
    package let address: [UInt8]
    package let prefixLength: Int
    package let scope: Scope

    /// Where an address is valid (`enum rt_scope_t`).
    package enum Scope: Hashable, Sendable {
        case universe
        case site
        case link

        /// Only on this host.
        case host
    }
}

extension RouteSocket {
    /// All addresses of all interfaces, in the kernel's order.
    package func addresses() throws(KernelError) -> [InterfaceAddress] {
        var names: [UInt32: String] = [:]
        for link in try list("list interfaces", RTM_GETLINK, family: 0, headerByteCount: 16) {
            guard let index = link.header.integer(UInt32.self, at: 4) else { continue }
            names[index] = link.attributes.string(UInt16(IFLA_IFNAME))
        }

        var result: [InterfaceAddress] = []
        for entry in try list("list addresses", RTM_GETADDR, family: 0, headerByteCount: 8) {
            if let address = InterfaceAddress(entry, names: names) { result.append(address) }
        }
        return result
    }

    /// Gives `lo` an address, such as `::6/128`.
    package func addLoopbackAddress(_ address: [UInt8], prefixLength: Int) throws(KernelError) {
        try changeLoopbackAddress("add", RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address, prefixLength)
    }

    /// Takes an address from `lo`.
    package func removeLoopbackAddress(_ address: [UInt8], prefixLength: Int) throws(KernelError) {
        try changeLoopbackAddress("remove", RTM_DELADDR, 0, address, prefixLength)
    }

    /// Switches `lo` on; it may be on already.
    package func setLoopbackUp() throws(KernelError) {
        try netlink.change(operation: "set lo up", type: UInt16(RTM_NEWLINK)) { writer in
            // struct ifinfomsg: family, padding, type, index, flags, which of them to change.
            writer.append(UInt32(0))
            writer.append(Self.loopbackIndex)
            writer.append(Self.interfaceIsUp)
            writer.append(Self.interfaceIsUp)
        }
    }

    private func changeLoopbackAddress(
        _ verb: String,
        _ type: Int,
        _ flags: Int32,
        _ address: [UInt8],
        _ prefixLength: Int
    ) throws(KernelError) {
        let family: InternetFamily = address.count == 4 ? .ipv4 : .ipv6
        let operation = "\(verb) address \(InternetAddressText.text(of: address))/\(prefixLength) on lo"
        try netlink.change(operation: operation, type: UInt16(type), flags: flags) { writer in
            writer.append(family.rawValue)
            writer.append(UInt8(clamping: prefixLength))
            writer.append(UInt8(0))
            writer.append(UInt8(RT_SCOPE_HOST.rawValue))
            writer.append(Self.loopbackIndex)
            writer.attribute(UInt16(IFA_LOCAL), bytes: address)
            writer.attribute(UInt16(IFA_ADDRESS), bytes: address)
        }
    }

    /// `IFF_UP` of `net/if.h`.
    private static let interfaceIsUp: UInt32 = 1
}

extension InterfaceAddress {
    /// Reads an entry of the list of addresses, or nil for one of another family.
    init?(_ entry: RouteEntry, names: [UInt32: String]) {
        // struct ifaddrmsg: family, prefix length, flags, scope, index.
        guard let number = entry.header.first, let family = InternetFamily(rawValue: number),
            let prefixLength = entry.header.integer(UInt8.self, at: 1),
            let scope = entry.header.integer(UInt8.self, at: 3),
            let index = entry.header.integer(UInt32.self, at: 4)
        else { return nil }
        // Of a link between two points, IFA_LOCAL is this end's address; IPv6 has only the other.
        let local = entry.attributes[UInt16(IFA_LOCAL)]
        guard let address = local ?? entry.attributes[UInt16(IFA_ADDRESS)],
            address.count == family.addressByteCount
        else { return nil }
        interfaceName = names[index] ?? ""
        self.family = family
        self.address = [UInt8](address)
        self.prefixLength = Int(prefixLength)
        self.scope = Scope(number: scope)
    }
}

extension InterfaceAddress.Scope {
    fileprivate init(number: UInt8) {
        switch number {
        case UInt8(RT_SCOPE_HOST.rawValue): self = .host
        case UInt8(RT_SCOPE_LINK.rawValue): self = .link
        case UInt8(RT_SCOPE_SITE.rawValue): self = .site
        default: self = .universe
        }
    }
}
