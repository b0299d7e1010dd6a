internal import CLinuxKernel

extension NetlinkSocket {
    /// Makes a change, and waits for the kernel's answer.
    func change(
        operation: String,
        type: UInt16,
        flags: Int32 = 0,
        _ body: (inout NetlinkWriter) -> Void
    ) throws(KernelError) {
        _ = try exchange(operation: operation, type: type, flags: NLM_F_ACK | flags, body) {
            (_: NetlinkMessage) in false
        }
    }

    /// Asks a question that has one message as its answer.
    func ask(
        operation: String,
        type: UInt16,
        _ body: (inout NetlinkWriter) -> Void
    ) throws(KernelError) -> NetlinkMessage {
        guard let answer = try exchange(operation: operation, type: type, flags: 0, body, isAnswer: { _ in true })
        else { throw KernelError(operation, .badMessage, explanation: "there is no answer") }
        return answer
    }

    /// Sends one message and returns the answer, or nil if the kernel only says that it is done.
    private func exchange(
        operation: String,
        type: UInt16,
        flags: Int32,
        _ body: (inout NetlinkWriter) -> Void,
        isAnswer: (NetlinkMessage) -> Bool
    ) throws(KernelError) -> NetlinkMessage? {
        let sequence = Self.nextSequence()
        var writer = NetlinkWriter()
        writer.message(type, flags: UInt16(NLM_F_REQUEST | flags), sequence: sequence, body)
        try send(writer.bytes, operation: operation)
        for _ in 1...Self.datagramLimit {
            for message in try receive(operation: operation, waits: true) where message.sequence == sequence {
                if let acknowledgement = try NetlinkAcknowledgement(message, operation: operation) {
                    guard let refusal = acknowledgement.refusal else { return nil }
                    throw KernelError(operation, refusal, explanation: acknowledgement.explanation)
                }
                if isAnswer(message) { return message }
            }
        }
        throw KernelError(operation, .badMessage, explanation: "there is no answer")
    }

    /// Asks for a list, and returns all messages of the answer.
    ///
    /// A list that changed while it was read (`NLM_F_DUMP_INTR`) is read again.
    func dump(
        operation: String,
        type: UInt16,
        _ body: (inout NetlinkWriter) -> Void
    ) throws(KernelError) -> [NetlinkMessage] {
        for _ in 1...Self.dumpAttempts {
            let sequence = Self.nextSequence()
            var writer = NetlinkWriter()
            let flags = UInt16(NLM_F_REQUEST | NLM_F_DUMP)
            writer.message(type, flags: flags, sequence: sequence, body)
            try send(writer.bytes, operation: operation)
            if let messages = try collect(sequence: sequence, operation: operation) { return messages }
        }
        throw KernelError(operation, .interrupted, explanation: "it changed each time it was read")
    }

    /// All messages up to the end of the list, or nil if the list changed meanwhile.
    private func collect(sequence: UInt32, operation: String) throws(KernelError) -> [NetlinkMessage]? {
        var list = NetlinkList(sequence: sequence, operation: operation)
        for _ in 1...Self.datagramLimit {
            for message in try receive(operation: operation, waits: true) { try list.add(message) }
            if list.isComplete { return list.isConsistent ? list.messages : nil }
        }
        throw KernelError(operation, .tooBig)
    }

    /// As often as `netlinksafe` of the CNI plugins tries.
    private static let dumpAttempts = 5

    /// A set of 10,000 IPv6 ranges takes about 400 datagrams of 4 KiB.
    private static let datagramLimit = 65_536
}

/// The messages of a list, until its end.
struct NetlinkList {
    private let sequence: UInt32
    private let operation: String
    private(set) var messages: [NetlinkMessage] = []

    /// Whether nothing changed while the list was read.
    private(set) var isConsistent = true

    private(set) var isComplete = false

    private var byteCount = 0

    init(sequence: UInt32, operation: String) {
        self.sequence = sequence
        self.operation = operation
    }

    /// Takes the next message of the answer.
    mutating func add(_ message: NetlinkMessage) throws(KernelError) {
        // Replies to an earlier, interrupted attempt must not be taken for this one's.
        guard message.sequence == sequence, !isComplete else { return }

        if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isConsistent = false }
        if let acknowledgement = try NetlinkAcknowledgement(message, operation: operation) {
            guard let refusal = acknowledgement.refusal else { return }
            throw KernelError(operation, refusal, explanation: acknowledgement.explanation)
        }
        if message.type == UInt16(NLMSG_DONE) {
            // The end of a list carries the error that cut it short.
            if let error = message.body.integer(Int32.self, at: 0), error < 0 {
                throw KernelError(operation, Errno(rawValue: 0 &- error))
            }
            isComplete = true
            return
        }
        byteCount += message.body.count
        guard byteCount <= Self.byteLimit else { throw KernelError(operation, .tooBig) }
        messages.append(message)
    }

    /// A set of 10,000 IPv6 ranges takes 1.5 MB.
    private static let byteLimit = 64 * 1_024 * 1_024
}
