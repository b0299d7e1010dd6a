internal import CLinuxKernel

/// A netlink socket: requests out, replies in (`netlink(7)`).
struct NetlinkSocket: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    /// Opens a socket in the network namespace of the calling thread.
    init(protocol netlinkProtocol: CInt, name: String) throws(KernelError) {
        let descriptor = try OwnedDescriptor("open \(name) socket") {
            socket(AF_NETLINK, CInt(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), netlinkProtocol)
        }
        var limit = Self.replyLimit
        try systemCall("limit wait for \(name) replies") {
            let size = socklen_t(MemoryLayout.size(ofValue: limit))
            return setsockopt(descriptor.rawValue, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        }
        // Without NETLINK_CAP_ACK a refusal echoes the whole refused message; NETLINK_EXT_ACK adds the
        // kernel's sentence about it. Both are since Linux 4.12, and only make errors better, so a
        // kernel without them is no failure.
        var on: CInt = 1
        for option in [NETLINK_CAP_ACK, NETLINK_EXT_ACK] {
            _ = setsockopt(descriptor.rawValue, SOL_NETLINK, option, &on, socklen_t(MemoryLayout.size(ofValue: on)))
        }
        self.descriptor = descriptor
    }

    /// A number for the next request, so that a late reply is never taken for another request's.
    ///
    /// It is the time, since a request takes far longer than a nanosecond; the highest bit keeps it away
    /// from the numbers of a batch.
    static func nextSequence() -> UInt32 {
        UInt32(truncatingIfNeeded: Clock.monotonicNanoseconds()) | 0x8000_0000
    }

    /// Sends one datagram, whatever its size.
    func send(_ request: [UInt8], operation: String) throws(KernelError) {
        if request.count > Self.defaultSendBytes { raiseSendBuffer(to: request.count) }
        let sent = try systemCall(operation) {
            CLinuxKernel.send(descriptor.rawValue, request, request.count, CInt(0))
        }
        guard sent == request.count else { throw KernelError(operation, .messageTooLong) }
    }

    /// Lets a large batch through: a netlink datagram must fit the send buffer.
    ///
    /// Failure shows when the batch is sent. `SO_SNDBUFFORCE` takes real privilege; `SO_SNDBUF` goes up to
    /// `net.core.wmem_max` (`socket(7)`).
    private func raiseSendBuffer(to byteCount: Int) {
        var size = CInt(clamping: byteCount + 4_096)
        let length = socklen_t(MemoryLayout.size(ofValue: size))
        if setsockopt(descriptor.rawValue, SOL_SOCKET, SO_SNDBUFFORCE, &size, length) == -1 {
            _ = setsockopt(descriptor.rawValue, SOL_SOCKET, SO_SNDBUF, &size, length)
        }
    }

    /// Waits for one datagram from the kernel, and returns its messages.
    ///
    /// If it does not wait and there is none, or none comes in time, the error is ``Errno/wouldBlock``.
    func receive(operation: String, waits: Bool) throws(KernelError) -> [NetlinkMessage] {
        var buffer = [UInt8](repeating: 0, count: Self.receiveByteLimit)
        var sender = sockaddr_nl()
        let count = try systemCall(operation) {
            withUnsafeMutablePointer(to: &sender) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    var length = socklen_t(MemoryLayout<sockaddr_nl>.size)
                    let flags = CInt(MSG_TRUNC) | (waits ? 0 : CInt(MSG_DONTWAIT))
                    return recvfrom(descriptor.rawValue, &buffer, buffer.count, flags, address, &length)
                }
            }
        }
        // Any process with CAP_NET_ADMIN here can send to this socket; only the kernel has port 0.
        guard sender.nl_pid == 0 else { return [] }
        guard (1...buffer.count).contains(count) else { throw KernelError(operation, .messageTooLong) }

        var reader = NetlinkReader(buffer[..<count], operation: operation)
        var messages: [NetlinkMessage] = []
        while let message = try reader.nextMessage() { messages.append(message) }
        return messages
    }

    /// The kernel answers from the sending call itself, so a longer wait means a lost reply.
    private static let replyLimit = timeval(tv_sec: 5, tv_usec: 0)

    /// The kernel fills datagrams of a dump up to 32 KiB (`netlink_dump` in `net/netlink/af_netlink.c`).
    private static let receiveByteLimit = 65_536

    /// Well below `net.core.wmem_default`, 208 KiB on every distribution.
    private static let defaultSendBytes = 131_072
}

/// What the kernel says about one message: done, or why not (`struct nlmsgerr`).
struct NetlinkAcknowledgement {
    let sequence: UInt32

    /// Nil for success.
    let refusal: Errno?
    let explanation: String?

    /// Reads `message` if it is an acknowledgement.
    init?(_ message: NetlinkMessage, operation: String) throws(KernelError) {
        guard message.type == UInt16(NLMSG_ERROR) else { return nil }
        guard let error = message.body.integer(Int32.self, at: 0),
            let length = message.body.integer(UInt32.self, at: 4),
            let sequence = message.body.integer(UInt32.self, at: 12)
        else { throw KernelError(operation, .badMessage, explanation: "an acknowledgement is too short") }
        self.sequence = sequence
        refusal = error == 0 ? nil : Errno(rawValue: 0 &- error)

        guard message.flags & UInt16(NLM_F_ACK_TLVS) != 0 else {
            explanation = nil
            return
        }
        // The attributes follow the echo of the request, of which a capped one is only the header.
        let isCapped = message.flags & UInt16(NLM_F_CAPPED) != 0
        let echoBytes = isCapped ? 16 : min(Int(length), message.body.count)
        var reader = NetlinkReader(message.body, operation: operation)
        try reader.skipHeader(4 + (echoBytes + 3) & ~3)
        explanation = try reader.attributes().string(UInt16(NLMSGERR_ATTR_MSG.rawValue))
    }
}
