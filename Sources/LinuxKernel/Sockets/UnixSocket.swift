internal import CLinuxKernel

/// A connection to a Unix socket, with a deadline on every wait (`unix(7)`).
package struct UnixSocket: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor
    private let path: String

    /// Connects to the socket at `path`.
    ///
    /// - Parameters:
    ///   - path: At most 107 bytes.
    ///   - deadlineMilliseconds: How long to wait for room in the listener's queue.
    /// - Throws: ``Errno/noSuchEntry`` if there is no socket, ``Errno/connectionRefused`` if nobody listens,
    ///   ``Errno/wouldBlock`` if the listener's queue was full all the time.
    package init(connectingTo path: String, deadlineMilliseconds: Int) throws(KernelError) {
        let operation = "connect to \(path)"
        var address = try UnixAddress.make(path, operation: operation)
        let descriptor = try OwnedDescriptor("open Unix socket") {
            let type = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
            return socket(AF_UNIX, CInt(type), 0)
        }
        let deadline = Clock.monotonicMilliseconds() + deadlineMilliseconds
        while true {
            do throws(KernelError) {
                try systemCall(operation) {
                    withUnsafePointer(to: &address) { pointer in
                        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                            connect(descriptor.rawValue, address, socklen_t(MemoryLayout<sockaddr_un>.size))
                        }
                    }
                }
                break
            } catch {
                guard error.errno == .wouldBlock, Clock.monotonicMilliseconds() < deadline else { throw error }
            }
            usleep(Self.queuePauseMicroseconds)
        }
        self.descriptor = descriptor
        self.path = path
    }

    /// The user that listens, as of the time of `listen(2)`.
    package func peerUser() throws(KernelError) -> UInt32 {
        let user = try systemCall("identify peer of \(path)") { c_linux_peer_user(descriptor.rawValue) }
        return UInt32(truncatingIfNeeded: user)
    }

    /// Sends all bytes.
    ///
    /// - Throws: ``Errno/brokenPipe`` if the peer has closed, ``Errno/timedOut`` at the deadline.
    package func send(_ bytes: [UInt8], deadlineMilliseconds: Int) throws(KernelError) {
        let operation = "send to \(path)"
        let deadline = Clock.monotonicMilliseconds() + deadlineMilliseconds
        var sent = 0
        while sent < bytes.count {
            try descriptor.wait(for: POLLOUT, until: deadline, operation: operation)
            let rest = bytes[sent...]
            do throws(KernelError) {
                sent += try systemCall(operation) {
                    rest.withUnsafeBytes { buffer in
                        let flags = CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT)
                        return CLinuxKernel.send(descriptor.rawValue, buffer.baseAddress, buffer.count, flags)
                    }
                }
            } catch {
                guard error.errno == .wouldBlock else { throw error }
            }
        }
    }

    /// Receives the next bytes, of any number; none means that the peer has closed.
    ///
    /// - Throws: ``Errno/timedOut`` if nothing comes in time.
    package func receive(deadlineMilliseconds: Int) throws(KernelError) -> ArraySlice<UInt8> {
        let operation = "receive from \(path)"
        let deadline = Clock.monotonicMilliseconds() + deadlineMilliseconds
        try descriptor.wait(for: POLLIN, until: deadline, operation: operation)
        return try DescriptorStream.read(descriptor.rawValue, operation: operation)
    }

    /// Receives until the peer closes.
    ///
    /// - Throws: ``Errno/tooBig`` over `byteLimit`, ``Errno/timedOut`` if the end does not come in time.
    package func receiveToEnd(byteLimit: Int, deadlineMilliseconds: Int) throws(KernelError) -> [UInt8] {
        try DescriptorStream.readToEnd(
            descriptor.rawValue,
            byteLimit: byteLimit,
            deadline: Clock.monotonicMilliseconds() + deadlineMilliseconds,
            operation: "receive from \(path)"
        )
    }

    /// The listener takes a connection in well under this time.
    private static let queuePauseMicroseconds: useconds_t = 1_000
}

/// The address of a Unix socket.
enum UnixAddress {
    /// Makes the address of the socket at `path`, which ends with a NUL.
    static func make(_ path: String, operation: String) throws(KernelError) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = [UInt8](path.utf8)
        let room = MemoryLayout.size(ofValue: address.sun_path) - 1
        guard !bytes.isEmpty, bytes.count <= room else { throw KernelError(operation, .nameTooLong) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return address
    }
}
