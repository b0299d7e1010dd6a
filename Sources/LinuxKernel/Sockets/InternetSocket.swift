internal import CLinuxKernel

/// One end of a connection.
package struct SocketEndpoint: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16 bytes in network order.
    package var address: [UInt8]

    /// 0 lets the kernel choose.
    package var port: UInt16

    package init(_ address: [UInt8], port: UInt16) {
        self.address = address
        self.port = port
    }

    package var family: InternetFamily { address.count == 4 ? .ipv4 : .ipv6 }

    /// `127.0.0.6:15002`, `[::6]:15002`.
    package var description: String {
        let text = InternetAddressText.text(of: address)
        return family == .ipv4 ? "\(text):\(port)" : "[\(text)]:\(port)"
    }
}

/// A TCP or UDP socket in the namespace of the thread that makes it, with a deadline on every wait.
///
/// It stays in that namespace, whichever thread uses it.
package final class InternetSocket: Sendable {
    private let descriptor: OwnedDescriptor
    private let family: InternetFamily

    package enum Kind: Sendable {
        case tcp
        case udp
    }

    /// Opens a socket.
    ///
    /// - Parameters:
    ///   - kind: TCP or UDP.
    ///   - family: An IPv6 socket takes no IPv4.
    ///   - owner: Who the rules say it belongs to; nil for the process's own user.
    /// - Throws: ``Errno/invalidArgument`` if the owner does not exist in this user namespace.
    package convenience init(_ kind: Kind, _ family: InternetFamily, owner: ProcessOwner?) throws(KernelError) {
        let type = kind == .tcp ? SOCK_STREAM : SOCK_DGRAM
        let flags = CInt(type.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = try Self.owned(by: owner) { () throws(KernelError) in
            try OwnedDescriptor("open socket") { socket(CInt(family.rawValue), flags, 0) }
        }
        self.init(descriptor, family)
        if family == .ipv6 {
            try systemCall("keep IPv4 out") { c_linux_set_ipv6_only(self.descriptor.rawValue) }
        }
    }

    private init(_ descriptor: consuming OwnedDescriptor, _ family: InternetFamily) {
        self.descriptor = descriptor
        self.family = family
    }

    /// Lets the socket take connections to any address, as TPROXY hands them over (`IP_TRANSPARENT`, `ip(7)`).
    package func setTransparent() throws(KernelError) {
        try systemCall("make socket transparent") {
            c_linux_set_transparent(descriptor.rawValue, CInt(family.rawValue))
        }
    }

    /// Takes a local address, even if connections of an earlier listener are still being forgotten.
    ///
    /// - Parameters:
    ///   - endpoint: The address.
    ///   - isShared: Whether another listener may be there, if that one allows it too (`SO_REUSEPORT`).
    /// - Throws: ``Errno/addressNotAvailable`` if the address is not there, or not usable yet.
    package func bind(to endpoint: SocketEndpoint, isShared: Bool = false) throws(KernelError) {
        let operation = "bind to \(endpoint.description)"
        try enable(SO_REUSEADDR, operation)
        if isShared { try enable(SO_REUSEPORT, operation) }
        try systemCall(operation) {
            endpoint.withAddress { CLinuxKernel.bind(descriptor.rawValue, $0, $1) }
        }
    }

    private func enable(_ option: CInt, _ operation: String) throws(KernelError) {
        var isOn: CInt = 1
        let length = socklen_t(MemoryLayout<CInt>.size)
        try systemCall(operation) { setsockopt(descriptor.rawValue, SOL_SOCKET, option, &isOn, length) }
    }

    /// Takes connections from now on.
    package func listen() throws(KernelError) {
        try systemCall("listen") { CLinuxKernel.listen(descriptor.rawValue, SOMAXCONN) }
    }

    /// Connects.
    ///
    /// - Throws: ``Errno/connectionRefused`` if nobody listens, ``Errno/timedOut`` if nobody answers.
    package func connect(to endpoint: SocketEndpoint, milliseconds: Int) throws(KernelError) {
        let operation = "connect to \(endpoint.description)"
        do throws(KernelError) {
            try systemCall(operation) { endpoint.withAddress { CLinuxKernel.connect(descriptor.rawValue, $0, $1) } }
            return
        } catch {
            guard error.errno == .inProgress else { throw error }
        }
        try wait(POLLOUT, milliseconds, operation)
        var failure: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        try systemCall(operation) { getsockopt(descriptor.rawValue, SOL_SOCKET, SO_ERROR, &failure, &length) }
        guard failure == 0 else { throw KernelError(operation, Errno(rawValue: failure)) }
    }

    /// Takes the next connection.
    ///
    /// - Parameters:
    ///   - owner: Who the new socket belongs to.
    ///   - milliseconds: How long to wait for one.
    /// - Returns: The connection.
    /// - Throws: ``Errno/timedOut`` if none comes.
    package func accept(owner: ProcessOwner?, milliseconds: Int) throws(KernelError) -> InternetSocket {
        try wait(POLLIN, milliseconds, "accept")
        // The owner of an accepted socket is who accepts it (`sock_alloc_file` in net/socket.c).
        let accepted = try Self.owned(by: owner) { () throws(KernelError) in
            try OwnedDescriptor("accept") { c_linux_accept(descriptor.rawValue) }
        }
        return InternetSocket(accepted, family)
    }

    /// Sends all bytes, which must fit into the socket's buffer.
    package func send(_ bytes: [UInt8]) throws(KernelError) {
        try systemCall("send") {
            bytes.withUnsafeBytes {
                CLinuxKernel.send(descriptor.rawValue, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
        }
    }

    /// Receives the next bytes; none means that the peer has closed.
    package func receive(milliseconds: Int) throws(KernelError) -> ArraySlice<UInt8> {
        try wait(POLLIN, milliseconds, "receive")
        return try DescriptorStream.read(descriptor.rawValue, operation: "receive")
    }

    /// Receives until the peer closes.
    ///
    /// - Throws: ``Errno/tooBig`` over `byteLimit`, ``Errno/timedOut`` if the end does not come in time.
    package func receiveToEnd(byteLimit: Int, milliseconds: Int) throws(KernelError) -> [UInt8] {
        try DescriptorStream.readToEnd(
            descriptor.rawValue,
            byteLimit: byteLimit,
            deadline: Clock.monotonicMilliseconds() + milliseconds,
            operation: "receive"
        )
    }

    /// Waits for a datagram and answers it: `answer` makes the text of the answer from that of the question.
    package func answerDatagram(milliseconds: Int, _ answer: ([UInt8]) -> [UInt8]) throws(KernelError) {
        try wait(POLLIN, milliseconds, "receive")
        var question = [UInt8](repeating: 0, count: Self.longestDatagramBytes)
        var peer = [UInt8](repeating: 0, count: SocketEndpoint.longestAddressBytes)
        var length = socklen_t(peer.count)
        let count = try systemCall("receive") {
            peer.withUnsafeMutableBytes { peer in
                recvfrom(
                    descriptor.rawValue,
                    &question,
                    question.count,
                    0,
                    peer.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                    &length
                )
            }
        }
        let text = answer([UInt8](question[..<count]))
        try systemCall("answer") {
            peer.withUnsafeBytes { peer in
                sendto(
                    descriptor.rawValue,
                    text,
                    text.count,
                    CInt(MSG_NOSIGNAL),
                    peer.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                    length
                )
            }
        }
    }

    /// This end of the connection.
    package func localEndpoint() throws(KernelError) -> SocketEndpoint {
        try endpoint("read own address") { getsockname(descriptor.rawValue, $0, $1) }
    }

    /// The other end of the connection.
    package func peerEndpoint() throws(KernelError) -> SocketEndpoint {
        try endpoint("read peer's address") { getpeername(descriptor.rawValue, $0, $1) }
    }

    /// Where the connection was going before a rule sent it here (`SO_ORIGINAL_DST`).
    ///
    /// - Throws: ``Errno/noSuchEntry`` if nothing tracks the connection.
    package func originalDestination() throws(KernelError) -> SocketEndpoint {
        try endpoint("read original destination") {
            c_linux_original_destination(descriptor.rawValue, CInt(family.rawValue), $0, $1)
        }
    }

    private func endpoint(
        _ operation: String,
        _ call: (UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>) -> CInt
    ) throws(KernelError) -> SocketEndpoint {
        var bytes = [UInt8](repeating: 0, count: SocketEndpoint.longestAddressBytes)
        var length = socklen_t(bytes.count)
        try systemCall(operation) {
            bytes.withUnsafeMutableBytes { call($0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length) }
        }
        guard let endpoint = SocketEndpoint(socketAddress: bytes) else { throw KernelError(operation, .badMessage) }
        return endpoint
    }

    private func wait(_ events: CInt, _ milliseconds: Int, _ operation: String) throws(KernelError) {
        try descriptor.wait(for: events, until: Clock.monotonicMilliseconds() + milliseconds, operation: operation)
    }

    /// Makes one call as another user.
    private static func owned(
        by owner: ProcessOwner?,
        _ call: () throws(KernelError) -> OwnedDescriptor
    ) throws(KernelError) -> OwnedDescriptor {
        guard let owner else { return try call() }
        let own = ProcessOwner(user: geteuid(), group: getegid())
        // Whatever happens, the thread is its own user's afterwards, which cannot fail.
        defer { c_linux_set_socket_owner(own.user, own.group) }
        try systemCall("become user \(owner.user):\(owner.group)") {
            c_linux_set_socket_owner(owner.user, owner.group)
        }
        return try call()
    }

    /// A question is a few words.
    private static let longestDatagramBytes = 2_048
}

/// `struct sockaddr_in` and `sockaddr_in6` (`ip(7)`, `ipv6(7)`): family, port; for IPv6 flow; address; for IPv6 scope.
extension SocketEndpoint {
    fileprivate static let longestAddressBytes = 28

    fileprivate var socketAddress: [UInt8] {
        let head = [family.rawValue, 0] + .port(port)
        return switch family {
        case .ipv4: head + address + [UInt8](repeating: 0, count: 8)
        case .ipv6: head + [0, 0, 0, 0] + address + [0, 0, 0, 0]
        }
    }

    fileprivate init?(socketAddress bytes: [UInt8]) {
        guard let family = InternetFamily(rawValue: bytes[0]) else { return nil }
        let start = family == .ipv4 ? 4 : 8
        self.init(
            [UInt8](bytes[start..<(start + family.addressByteCount)]),
            port: UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        )
    }

    fileprivate func withAddress(_ call: (UnsafePointer<sockaddr>?, socklen_t) -> CInt) -> CInt {
        let bytes = socketAddress
        return bytes.withUnsafeBytes {
            call($0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
    }
}
