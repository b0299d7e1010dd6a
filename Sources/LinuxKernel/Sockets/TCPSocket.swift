internal import CLinuxKernel

/// A TCP socket that takes connections (`tcp(7)`), of the namespace of the thread that makes it.
package struct TCPListener: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor
    private let endpoint: TCPEndpoint

    /// Listens at an endpoint, beside another listener there if that one allows it too (`SO_REUSEPORT`).
    package init(on endpoint: TCPEndpoint) throws(KernelError) {
        let operation = "listen on \(endpoint.description)"
        let descriptor = try OwnedDescriptor.tcp(endpoint.family)
        try descriptor.enable(SOL_SOCKET, SO_REUSEADDR, operation)
        try descriptor.enable(SOL_SOCKET, SO_REUSEPORT, operation)
        try systemCall(operation) { endpoint.withSocketAddress { bind(descriptor.rawValue, $0, $1) } }
        try systemCall(operation) { listen(descriptor.rawValue, Self.queueLength) }
        self.descriptor = descriptor
        self.endpoint = endpoint
    }

    /// Takes the next connection, if one is waiting.
    package func acceptWaiting() throws(KernelError) -> TCPConnection? {
        let operation = "accept on \(endpoint.description)"
        do throws(KernelError) {
            let accepted = try OwnedDescriptor(operation) {
                c_linux_accept(descriptor.rawValue)
            }
            return TCPConnection(adopting: accepted, name: operation)
        } catch {
            switch error.errno {
            case .wouldBlock, .connectionAborted: return nil
            default: throw error
            }
        }
    }

    /// Who listens here takes connections at once.
    private static let queueLength: CInt = 128
}

/// A TCP connection, of the namespace of the thread that makes it.
package struct TCPConnection: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor
    private let name: String

    /// Connects.
    ///
    /// - Parameters:
    ///   - source: The own end; port 0 lets the kernel choose.
    ///   - destination: The other end.
    ///   - deadlineMilliseconds: How long to wait for an answer.
    /// - Throws: ``Errno/connectionRefused`` if nobody listens, ``Errno/timedOut`` if nothing is answered.
    package init(
        from source: TCPEndpoint,
        to destination: TCPEndpoint,
        deadlineMilliseconds: Int
    ) throws(KernelError) {
        let operation = "connect from \(source.description) to \(destination.description)"
        let deadline = Clock.monotonicMilliseconds() + deadlineMilliseconds
        let descriptor = try OwnedDescriptor.tcp(destination.family)
        try systemCall(operation) { source.withSocketAddress { bind(descriptor.rawValue, $0, $1) } }
        do throws(KernelError) {
            try systemCall(operation) { destination.withSocketAddress { connect(descriptor.rawValue, $0, $1) } }
        } catch {
            guard error.errno == .inProgress else { throw error }
            try descriptor.wait(for: POLLOUT, until: deadline, operation: operation)
            var outcome: CInt = 0
            var size = socklen_t(MemoryLayout<CInt>.size)
            try systemCall(operation) { getsockopt(descriptor.rawValue, SOL_SOCKET, SO_ERROR, &outcome, &size) }
            guard outcome == 0 else { throw KernelError(operation, Errno(rawValue: outcome)) }
        }
        self.init(adopting: descriptor, name: operation)
    }

    init(adopting descriptor: consuming OwnedDescriptor, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    /// Where the peer meant to connect to before a rule sent it here (`SO_ORIGINAL_DST`).
    ///
    /// - Throws: ``Errno/noSuchEntry`` if connection tracking does not know the connection.
    package func originalDestination() throws(KernelError) -> TCPEndpoint {
        let operation = "\(name): find original destination"
        var local = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        try systemCall(operation) {
            withUnsafeMutablePointer(to: &local) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getsockname(descriptor.rawValue, $0, &size)
                }
            }
        }
        let level = CInt(local.ss_family) == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP
        var original = sockaddr_storage()
        size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        try systemCall(operation) {
            getsockopt(descriptor.rawValue, CInt(level), Self.originalDestinationOption, &original, &size)
        }
        guard let endpoint = TCPEndpoint(original) else { throw KernelError(operation, .badMessage) }
        return endpoint
    }

    /// Sends bytes that fit into the socket's buffer.
    ///
    /// - Throws: ``Errno/wouldBlock`` if they do not, ``Errno/brokenPipe`` if the peer has closed.
    package func send(_ bytes: [UInt8]) throws(KernelError) {
        let operation = "\(name): send"
        let count = try systemCall(operation) {
            CLinuxKernel.send(descriptor.rawValue, bytes, bytes.count, CInt(MSG_NOSIGNAL))
        }
        guard count == bytes.count else { throw KernelError(operation, .wouldBlock) }
    }

    /// `SO_ORIGINAL_DST` of `linux/netfilter_ipv4.h`, and `IP6T_SO_ORIGINAL_DST` of `ip6_tables.h`.
    private static let originalDestinationOption: CInt = 80
}

extension OwnedDescriptor {
    fileprivate static func tcp(_ family: InternetFamily) throws(KernelError) -> OwnedDescriptor {
        try OwnedDescriptor("open TCP socket") {
            let type = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
            return socket(CInt(family.rawValue), CInt(type), 0)
        }
    }

    fileprivate func enable(_ level: CInt, _ option: CInt, _ operation: String) throws(KernelError) {
        var on: CInt = 1
        let size = socklen_t(MemoryLayout<CInt>.size)
        try systemCall(operation) { setsockopt(rawValue, level, option, &on, size) }
    }
}
