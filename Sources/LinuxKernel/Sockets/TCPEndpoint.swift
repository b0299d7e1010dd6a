internal import CLinuxKernel

/// Where a TCP connection begins or ends.
package struct TCPEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16 bytes in network order.
    package let address: [UInt8]

    /// 0 lets the kernel choose.
    package let port: UInt16

    /// Makes an endpoint of an address of 4 or 16 bytes; any other number counts as none of it.
    package init(address: [UInt8], port: UInt16) {
        self.address = address
        self.port = port
    }

    /// `127.0.0.6:15002`, `[::6]:15002`.
    package var description: String {
        let text = InternetAddressText.text(of: address)
        return address.count == 4 ? "\(text):\(port)" : "[\(text)]:\(port)"
    }

    var family: InternetFamily { address.count == 4 ? .ipv4 : .ipv6 }

    /// Lends the kernel's form of the endpoint.
    func withSocketAddress(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) -> CInt {
        var storage = sockaddr_storage()
        let size: Int
        switch family {
        case .ipv4:
            size = MemoryLayout<sockaddr_in>.size
            var inet = sockaddr_in()
            inet.sin_family = sa_family_t(AF_INET)
            inet.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &inet.sin_addr) { $0.copyBytes(from: address.prefix(4)) }
            withUnsafeMutableBytes(of: &storage) { target in
                withUnsafeBytes(of: inet) { target.copyMemory(from: $0) }
            }
        case .ipv6:
            size = MemoryLayout<sockaddr_in6>.size
            var inet = sockaddr_in6()
            inet.sin6_family = sa_family_t(AF_INET6)
            inet.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &inet.sin6_addr) { $0.copyBytes(from: address.prefix(16)) }
            withUnsafeMutableBytes(of: &storage) { target in
                withUnsafeBytes(of: inet) { target.copyMemory(from: $0) }
            }
        }
        return withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(size)) }
        }
    }

    /// Reads the kernel's form of an endpoint; nil if it is of neither family.
    init?(_ storage: sockaddr_storage) {
        let bytes = withUnsafeBytes(of: storage) { Array($0) }
        // Both begin with the family and the port; the address follows at once, in IPv6 after the flow label.
        let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        switch CInt(storage.ss_family) {
        case AF_INET: self.init(address: Array(bytes[4..<8]), port: port)
        case AF_INET6: self.init(address: Array(bytes[8..<24]), port: port)
        default: return nil
        }
    }
}
