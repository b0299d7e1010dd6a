import Foundation
package import Redirect

/// One end of a connection.
package struct SocketEndpoint: Hashable, Sendable, CustomStringConvertible {
    package let address: IPAddress
    package let port: UInt16

    package init(_ address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    package var description: String {
        switch address.family {
        case .ipv4: "\(address.description):\(port)"
        case .ipv6: "[\(address.description)]:\(port)"
        }
    }
}

extension SocketEndpoint {
    /// The bytes of a `struct sockaddr_in` or `sockaddr_in6` (`ip(7)`, `ipv6(7)`).
    var bytes: [UInt8] {
        let family = withUnsafeBytes(of: address.family.socketFamily) { Array($0) }
        let port = [UInt8(port >> 8), UInt8(port & 0xFF)]
        return switch address.family {
        case .ipv4: family + port + address.bytes + [UInt8](repeating: 0, count: 8)
        case .ipv6: family + port + [0, 0, 0, 0] + address.bytes + [0, 0, 0, 0]
        }
    }

    init?(bytes: [UInt8]) {
        guard bytes.count >= 16 else { return nil }
        let family = bytes.withUnsafeBytes { $0.loadUnaligned(as: sa_family_t.self) }
        let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        switch family {
        case AddressFamily.ipv4.socketFamily:
            self.init(IPAddress(.ipv4, bits: Self.number(bytes[4..<8])), port: port)
        case AddressFamily.ipv6.socketFamily where bytes.count >= 24:
            self.init(IPAddress(.ipv6, bits: Self.number(bytes[8..<24])), port: port)
        default: return nil
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt128 {
        bytes.reduce(0) { number, byte in number << 8 | UInt128(byte) }
    }
}

extension AddressFamily {
    var socketFamily: sa_family_t {
        switch self {
        case .ipv4: sa_family_t(AF_INET)
        case .ipv6: sa_family_t(AF_INET6)
        }
    }
}
