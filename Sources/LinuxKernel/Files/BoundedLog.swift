internal import CLinuxKernel

/// A file of lines that never grows over a limit: the older half moves to `PATH.1`, whose predecessor goes.
package struct BoundedLog: Hashable, Sendable {
    package let path: String

    /// The most that the file holds; with the older one, twice as much is on the disk.
    package let byteLimit: Int

    package init(_ path: String, byteLimit: Int) {
        self.path = path
        self.byteLimit = byteLimit
    }

    /// Appends one line and a newline in a single write, so lines of several processes do not mix.
    ///
    /// The file is 0600, and a link in its place is refused with ``Errno/tooManyLinks``. Two processes that
    /// reach the limit at the same moment can lose the older half, never a line that either writes.
    package func append(_ line: [UInt8]) throws(KernelError) {
        let operation = "append to \(path)"
        let bytes = line + [0x0A]
        if try byteCount(operation) + bytes.count > byteLimit {
            try moveAside(operation)
        }
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        let file = try OwnedDescriptor(operation) { c_linux_open(path, flags, 0o600) }
        try DescriptorStream.writeAll(bytes, to: file.rawValue, operation: operation)
    }

    private func moveAside(_ operation: String) throws(KernelError) {
        do throws(KernelError) {
            try systemCall(operation) { c_linux_rename(path, "\(path).1") }
        } catch {
            // Another process has moved it just now.
            guard error.errno == .noSuchEntry else { throw error }
        }
    }

    /// The file's size; 0 if there is none.
    private func byteCount(_ operation: String) throws(KernelError) -> Int {
        var status = stat()
        do throws(KernelError) {
            try systemCall(operation) { lstat(path, &status) }
        } catch {
            guard error.errno == .noSuchEntry else { throw error }
            return 0
        }
        return Int(status.st_size)
    }
}
