internal import CLinuxKernel

/// The process that this code runs in.
package enum OwnProcess {
    /// Those of the named environment variables that are set.
    package static func environment(_ names: [String]) -> [String: String] {
        var result: [String: String] = [:]
        for name in names {
            if let value = getenv(name) { result[name] = String(cString: value) }
        }
        return result
    }

    /// The user whose rights the process has.
    package static var effectiveUser: UInt32 { geteuid() }

    package static var identifier: Int32 { getpid() }

    /// Makes a trap or crash of this process write `message` to standard output and exit with `status`.
    ///
    /// Embedded Swift prints nothing when it traps, and a CNI runtime wants an error in any case. Call it
    /// again with nothing once the real answer is being written.
    package static func answerCrashes(with message: [UInt8], status: Int32 = 1) throws(KernelError) {
        try systemCall("prepare for crashes") { c_linux_answer_crashes(message, message.count, status) }
    }

    /// Makes a write to a pipe that nobody reads fail with ``Errno/brokenPipe`` instead of ending the process.
    package static func ignoreBrokenPipes() throws(KernelError) {
        try systemCall("ignore broken pipes") { c_linux_ignore_broken_pipes() }
    }

    /// Reads standard input to its end.
    ///
    /// - Parameters:
    ///   - byteLimit: The most that is read.
    ///   - deadlineMilliseconds: When the end must have come; nil where a person may type.
    /// - Returns: What was read.
    /// - Throws: ``Errno/tooBig`` over `byteLimit`, ``Errno/timedOut`` if the end does not come in time.
    package static func readStandardInput(
        byteLimit: Int,
        deadlineMilliseconds: Int? = nil
    ) throws(KernelError) -> [UInt8] {
        try DescriptorStream.readToEnd(
            STDIN_FILENO,
            byteLimit: byteLimit,
            deadline: deadlineMilliseconds.map { Clock.monotonicMilliseconds() + $0 },
            operation: "read standard input"
        )
    }

    /// Whether standard output is a terminal (`isatty(3)`).
    package static var hasTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    package static func writeStandardOutput(_ bytes: [UInt8]) throws(KernelError) {
        try DescriptorStream.writeAll(bytes, to: STDOUT_FILENO, operation: "write standard output")
    }

    package static func writeStandardError(_ bytes: [UInt8]) throws(KernelError) {
        try DescriptorStream.writeAll(bytes, to: STDERR_FILENO, operation: "write standard error")
    }

    /// Closes standard output, so that the reader need not wait for the process to end.
    package static func closeStandardOutput() {
        close(STDOUT_FILENO)
    }

    /// Gives the pages of this program's code and constants back to the kernel, which reads them from the file again when
    /// they are needed.
    ///
    /// A program that has started needs little of what starting needed.
    package static func releaseCode() throws(KernelError) {
        try systemCall("release the program's code") { c_linux_release_code() }
    }

    /// Ends the process at once, without the C library's exit handlers.
    package static func exit(_ status: Int32) -> Never {
        _exit(status)
    }
}
