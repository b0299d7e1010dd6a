internal import CLinuxKernel

extension NetlinkSocket {
    /// Asks for a list, and returns all messages of the answer.
    ///
    /// A list that changed while it was read (`NLM_F_DUMP_INTR`) is read again. `request` appends the one
    /// message that asks, with the sequence number it is given.
    func dump(
        operation: String,
        request: (inout NetlinkWriter, _ sequence: UInt32) -> Void
    ) throws(KernelError) -> [NetlinkMessage] {
        for attempt in 1...Self.dumpAttempts {
            // Replies to an earlier, interrupted attempt must not be taken for this one's.
            let sequence = UInt32(attempt)
            var writer = NetlinkWriter()
            request(&writer, sequence)
            try send(writer.bytes, operation: operation)
            if let messages = try collect(sequence: sequence, operation: operation) { return messages }
        }
        throw KernelError(operation, .interrupted, explanation: "it changed each time it was read")
    }

    /// All messages up to the end of the list, or nil if the list changed meanwhile.
    private func collect(sequence: UInt32, operation: String) throws(KernelError) -> [NetlinkMessage]? {
        var result: [NetlinkMessage] = []
        var byteCount = 0
        var isConsistent = true
        while true {
            for message in try receive(operation: operation, waits: true) where message.sequence == sequence {
                if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isConsistent = false }
                if let acknowledgement = try NetlinkAcknowledgement(message, operation: operation) {
                    guard let refusal = acknowledgement.refusal else { continue }
                    throw KernelError(operation, refusal, explanation: acknowledgement.explanation)
                }
                if message.type == UInt16(NLMSG_DONE) {
                    // The end of a dump carries the error that cut it short.
                    if let error = message.body.integer(Int32.self, at: 0), error < 0 {
                        throw KernelError(operation, Errno(rawValue: 0 &- error))
                    }
                    return isConsistent ? result : nil
                }
                byteCount += message.body.count
                guard byteCount <= Self.dumpByteLimit else { throw KernelError(operation, .tooBig) }
                result.append(message)
            }
        }
    }

    /// As often as `netlinksafe` of the CNI plugins tries.
    private static let dumpAttempts = 5

    /// A set of 10,000 IPv6 ranges takes 1.5 MB.
    private static let dumpByteLimit = 64 * 1_024 * 1_024
}
