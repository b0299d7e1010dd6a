internal import CLinuxKernel

/// What a running child writes, until it has ended.
struct ChildExchange: ~Copyable {
    private let child: CInt
    private let output: OwnedDescriptor
    private let error: OwnedDescriptor
    private let report: OwnedDescriptor
    private let byteLimit: Int

    private var outputBytes: [UInt8] = []
    private var errorBytes: [UInt8] = []
    private var reportBytes: [UInt8] = []
    private var isTruncated = false

    init(
        child: CInt,
        output: consuming OwnedDescriptor,
        error: consuming OwnedDescriptor,
        report: consuming OwnedDescriptor,
        byteLimit: Int
    ) {
        self.child = child
        self.output = output
        self.error = error
        self.report = report
        self.byteLimit = byteLimit
    }

    /// Reads to the end of all outputs, then waits for the child; at the deadline it is killed.
    mutating func finish(_ path: String, deadline: Int) throws(KernelError) -> ChildProcess.Outcome {
        var isKilled = false
        do throws(KernelError) {
            try readOutputs("read output of \(path)", until: deadline)
        } catch {
            kill()
            isKilled = true
            // A child must be waited for in any case; other failures are thrown after that.
            if error.errno != .timedOut {
                _ = try waitForEnd(path, until: Clock.monotonicMilliseconds() + Self.deathMilliseconds)
                throw error
            }
        }
        var ending = try waitForEnd(path, until: isKilled ? Clock.monotonicMilliseconds() : deadline)
        if ending == nil {
            kill()
            isKilled = true
            ending = try waitForEnd(path, until: Clock.monotonicMilliseconds() + Self.deathMilliseconds)
        }
        try throwReport(path)
        guard let ending else { throw KernelError("end \(path)", .timedOut) }
        return ChildProcess.Outcome(
            ending: isKilled ? .deadline : ending,
            standardOutput: outputBytes,
            standardError: errorBytes,
            isTruncated: isTruncated
        )
    }

    private mutating func readOutputs(_ operation: String, until deadline: Int) throws(KernelError) {
        var entries = [output.rawValue, error.rawValue, report.rawValue].map { descriptor in
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        }
        // `poll` passes over entries of -1, which stand for outputs that have ended.
        while entries.contains(where: { $0.fd != -1 }) {
            let rest = deadline - Clock.monotonicMilliseconds()
            guard rest > 0 else { throw KernelError(operation, .timedOut) }
            try systemCall(operation) { poll(&entries, nfds_t(entries.count), CInt(clamping: rest)) }
            for index in entries.indices where entries[index].fd != -1 && entries[index].revents != 0 {
                let chunk = try DescriptorStream.read(entries[index].fd, operation: operation)
                if chunk.isEmpty { entries[index].fd = -1 }
                keep(chunk, of: index)
            }
        }
    }

    private mutating func keep(_ chunk: ArraySlice<UInt8>, of index: Int) {
        let room = byteLimit - (index == 0 ? outputBytes.count : errorBytes.count)
        switch index {
        case 0: outputBytes += chunk.prefix(max(0, room))
        case 1: errorBytes += chunk.prefix(max(0, room))
        default:
            reportBytes += chunk
            return
        }
        if chunk.count > room { isTruncated = true }
    }

    /// Throws the step that the child could not do before it became the program.
    private func throwReport(_ path: String) throws(KernelError) {
        guard let step = reportBytes[...].integer(CInt.self, at: 0),
            let number = reportBytes[...].integer(CInt.self, at: MemoryLayout<CInt>.size)
        else { return }
        let operation =
            switch UInt32(bitPattern: step) {
            case C_LINUX_SPAWN_USER_NAMESPACE.rawValue: "enter user namespace for \(path)"
            case C_LINUX_SPAWN_NETWORK_NAMESPACE.rawValue: "enter network namespace for \(path)"
            case C_LINUX_SPAWN_EXECUTE.rawValue: "execute \(path)"
            default: "prepare \(path)"
            }
        throw KernelError(operation, Errno(rawValue: number))
    }

    /// Waits for the child's end, or returns nil at the deadline.
    ///
    /// A child that has closed its outputs is nearly always at its end, so this hardly ever pauses.
    private func waitForEnd(_ path: String, until deadline: Int) throws(KernelError) -> ChildProcess.Ending? {
        var status: CInt = 0
        var signal: CInt = 0
        while true {
            let hasEnded = try systemCall("wait for \(path)") { c_linux_wait(child, &status, &signal) }
            if hasEnded == 1 { return signal == 0 ? .exit(Int(status)) : .signal(Int(signal)) }
            guard Clock.monotonicMilliseconds() < deadline else { return nil }
            usleep(Self.pauseMicroseconds)
        }
    }

    /// Kills the child and all in its process group, which the child may not have made yet.
    private func kill() {
        _ = CLinuxKernel.kill(-child, SIGKILL)
        _ = CLinuxKernel.kill(child, SIGKILL)
    }

    /// A killed process ends at once, unless it hangs in the kernel.
    private static let deathMilliseconds = 1_000

    private static let pauseMicroseconds: useconds_t = 200
}
