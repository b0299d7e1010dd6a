internal import CLinuxKernel

/// A netlink socket to the rule set of one network namespace.
package struct NFTablesSocket: ~Copyable, Sendable {
    let netlink: NetlinkSocket

    /// Opens a socket in `namespace`, where it stays whichever thread uses it.
    ///
    /// For more than one socket use ``NetworkNamespace/openSockets()``.
    package init(in namespace: borrowing NetworkNamespace) throws(KernelError) {
        self = try namespace.run { () throws(KernelError) in try NFTablesSocket() }
    }

    /// Opens a socket in the namespace of the calling thread.
    init() throws(KernelError) {
        netlink = try NetlinkSocket(protocol: NETLINK_NETFILTER, name: "nf_tables")
    }

    /// Applies every change in `batch`, or none.
    ///
    /// - Throws: A ``KernelError`` whose operation is the first change the kernel refused;
    ///   ``Errno/messageTooLong`` if the batch is larger than this process may send at once.
    package func commit(_ batch: NFTablesBatch) throws(KernelError) {
        guard !batch.isEmpty else { return }
        try netlink.send(batch.encoded(), operation: "send rules")

        // The kernel has answered by the time that send returns, so there is nothing to wait for.
        var isConfirmed = false
        var refusal: KernelError?
        var hasLostReplies = false
        while true {
            do throws(KernelError) {
                for message in try netlink.receive(operation: "receive reply to rules", waits: false) {
                    guard let answer = try NetlinkAcknowledgement(message, operation: "read reply to rules")
                    else { continue }
                    // What is refused as a whole is answered with the number of the batch's begin.
                    guard answer.sequence <= batch.lastSequence else { continue }
                    if let errno = answer.refusal {
                        let change = batch.change(answer.sequence)?.description ?? "commit rules"
                        refusal = refusal ?? KernelError(change, errno, explanation: answer.explanation)
                    } else if answer.sequence == batch.lastSequence {
                        isConfirmed = true
                    }
                }
            } catch {
                if error.errno == .wouldBlock { break }
                guard error.errno == .noBufferSpace else { throw error }
                hasLostReplies = true
            }
        }
        if let refusal { throw refusal }
        guard isConfirmed else {
            throw KernelError("receive reply to rules", hasLostReplies ? .noBufferSpace : .badMessage)
        }
    }
}
