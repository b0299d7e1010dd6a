import CTestSupport
import Foundation
import LinuxKernel
import Redirect

/// A non-blocking socket in the namespace of the thread that opens it, owned by whoever the test says.
final class TestSocket {
    let descriptor: CInt

    init(_ transport: TransportProtocol, _ family: AddressFamily, owner: Packet.Owner) throws(KernelError) {
        let type = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
        let flags = SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        descriptor = owned(by: owner) {
            socket(CInt(family.socketFamily), CInt(bitPattern: type.rawValue | flags), 0)
        }
        try check("open socket", descriptor)
    }

    private init(adopting descriptor: CInt) {
        self.descriptor = descriptor
    }

    deinit {
        // A program that another test starts just now holds a copy until it runs (`O_CLOEXEC` in open(2)).
        shutdown(descriptor, CInt(SHUT_RDWR))
        close(descriptor)
    }

    func set(_ level: CInt, _ option: CInt, _ operation: String) throws(KernelError) {
        var on: CInt = 1
        try check(operation, setsockopt(descriptor, level, option, &on, socklen_t(MemoryLayout<CInt>.size)))
    }

    /// Lets the socket accept connections to any address, as TPROXY hands them over.
    func setTransparent(_ family: AddressFamily) throws(KernelError) {
        try check("set transparent", c_test_set_transparent(descriptor, CInt(family.socketFamily)))
    }

    func bind(to endpoint: SocketEndpoint) throws(KernelError) {
        let status = withAddress(endpoint) { address, length in Foundation.bind(descriptor, address, length) }
        try check("bind to \(endpoint)", status)
    }

    func listen() throws(KernelError) {
        try check("listen", Foundation.listen(descriptor, SOMAXCONN))
    }

    /// Begins to connect, which ends when the socket can be read or has an error.
    func connect(to endpoint: SocketEndpoint) throws(KernelError) {
        let status = withAddress(endpoint) { address, length in Foundation.connect(descriptor, address, length) }
        guard status != 0, errno != EINPROGRESS else { return }
        throw KernelError("connect to \(endpoint)", Errno(rawValue: errno))
    }

    /// The next connection, or nil if there is none.
    func accept(owner: Packet.Owner) -> TestSocket? {
        // The owner of an accepted socket is who accepts it (`sock_alloc_file` in net/socket.c).
        let accepted = owned(by: owner) { Foundation.accept(descriptor, nil, nil) }
        return accepted >= 0 ? TestSocket(adopting: accepted) : nil
    }

    /// This end of the connection.
    var localEndpoint: SocketEndpoint? {
        endpoint { address, length in getsockname(descriptor, address, length) }
    }

    /// Where the connection was going when it was opened, where connection tracking knows (`SO_ORIGINAL_DST`).
    func originalDestination(_ family: AddressFamily) -> SocketEndpoint? {
        endpoint { address, length in
            c_test_original_destination(descriptor, CInt(family.socketFamily), address, length)
        }
    }

    func send(_ text: String) {
        // A peer that is gone does not wait for an answer.
        _ = text.utf8CString.withUnsafeBytes {
            Foundation.send(descriptor, $0.baseAddress, text.utf8.count, CInt(MSG_NOSIGNAL))
        }
    }

    /// What has arrived, or what went wrong.
    func receive() -> Result<String, KernelError> {
        var buffer = [UInt8](repeating: 0, count: Self.longestAnswer)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { return .failure(KernelError("receive", Errno(rawValue: errno))) }
        return .success(String(decoding: buffer.prefix(count), as: UTF8.self))
    }

    /// Sends `text` back to whoever sent the next datagram.
    func answer(_ text: String) -> Bool {
        var peer = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var byte: UInt8 = 0
        return withUnsafeMutableBytes(of: &peer) { bytes in
            guard let address = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                recvfrom(descriptor, &byte, 1, 0, address, &length) >= 0
            else { return false }
            return text.utf8CString.withUnsafeBytes {
                sendto(descriptor, $0.baseAddress, text.utf8.count, 0, address, length) >= 0
            }
        }
    }

    /// Bytes; an answer names a place and two endpoints.
    private static let longestAnswer = 256

    private func endpoint(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt
    ) -> SocketEndpoint? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &storage) { bytes in
            guard let address = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                call(address, &length) == 0
            else { return nil }
            return SocketEndpoint(bytes: Array(bytes.prefix(Int(length))))
        }
    }

    private func withAddress(
        _ endpoint: SocketEndpoint,
        _ call: (UnsafePointer<sockaddr>?, socklen_t) -> CInt
    ) -> CInt {
        endpoint.bytes.withUnsafeBytes { bytes in
            call(bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
    }
}

/// Makes one call as another user.
private func owned(by owner: Packet.Owner, _ call: () -> CInt) -> CInt {
    c_test_set_socket_owner(owner.user, owner.group)
    defer { c_test_set_socket_owner(geteuid(), getegid()) }
    return call()
}

private func check(_ operation: @autoclosure () -> String, _ status: CInt) throws(KernelError) {
    guard status < 0 else { return }
    let number = errno
    throw KernelError(operation(), Errno(rawValue: number))
}
