internal import CLinuxKernel

/// Reading and writing with a deadline, for descriptors of every kind.
extension OwnedDescriptor {
    /// Waits until the descriptor can be read or written, or has ended.
    ///
    /// - Throws: ``Errno/timedOut`` at the deadline.
    func wait(for events: CInt, until deadline: Int, operation: String) throws(KernelError) {
        try DescriptorStream.wait(for: events, on: rawValue, until: deadline, operation: operation)
    }
}

/// The same for descriptors that belong to the process, such as standard input.
enum DescriptorStream {
    /// Waits for `events`; `deadline` is a reading of ``Clock/monotonicMilliseconds()``.
    static func wait(
        for events: CInt,
        on descriptor: CInt,
        until deadline: Int,
        operation: String
    ) throws(KernelError) {
        while true {
            let rest = deadline - Clock.monotonicMilliseconds()
            guard rest > 0 else { throw KernelError(operation, .timedOut) }
            var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let ready = try systemCall(operation) { poll(&entry, 1, CInt(clamping: rest)) }
            if ready > 0 { return }
        }
    }

    /// Reads to the end.
    ///
    /// A peer that goes without having read everything resets the connection after what it has sent (`unix_release_sock`
    /// in net/unix/af_unix.c): that is an end too, once something has come. Whether it is whole its format tells.
    ///
    /// - Throws: ``Errno/tooBig`` if there is more than `byteLimit`.
    static func readToEnd(
        _ descriptor: CInt,
        byteLimit: Int,
        deadline: Int?,
        operation: String
    ) throws(KernelError) -> [UInt8] {
        var result: [UInt8] = []
        while true {
            if let deadline { try wait(for: POLLIN, on: descriptor, until: deadline, operation: operation) }
            let chunk: ArraySlice<UInt8>
            do throws(KernelError) {
                chunk = try read(descriptor, operation: operation)
            } catch {
                guard error.errno == .connectionReset, !result.isEmpty else { throw error }
                return result
            }
            if chunk.isEmpty { return result }
            guard result.count + chunk.count <= byteLimit else { throw KernelError(operation, .tooBig) }
            result += chunk
        }
    }

    /// Reads what there is, up to a chunk or the limit; nothing means the end.
    static func read(
        _ descriptor: CInt,
        byteLimit: Int = chunkByteCount,
        operation: String
    ) throws(KernelError) -> ArraySlice<UInt8> {
        var chunk = [UInt8](repeating: 0, count: min(byteLimit, chunkByteCount))
        let count = try systemCall(operation) { CLinuxKernel.read(descriptor, &chunk, chunk.count) }
        return chunk[..<count]
    }

    /// Writes everything, waiting where a pipe is full.
    ///
    /// - Throws: ``Errno/wouldBlock`` if the descriptor does not wait by itself and is full.
    static func writeAll(_ bytes: [UInt8], to descriptor: CInt, operation: String) throws(KernelError) {
        var written = 0
        while written < bytes.count {
            let rest = bytes[written...]
            written += try systemCall(operation) {
                rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            }
        }
    }

    /// As much as a pipe holds.
    static let chunkByteCount = 65_536
}
