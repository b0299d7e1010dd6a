internal import CLinuxKernel

/// Whole files.
package enum File {
    /// Reads the file at `path`.
    ///
    /// - Throws: ``Errno/tooBig`` if it has more than `byteLimit` bytes.
    package static func read(_ path: String, byteLimit: Int) throws(KernelError) -> [UInt8] {
        let operation = "read \(path)"
        let file = try OwnedDescriptor(operation) { c_linux_open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0) }
        return try DescriptorStream.readToEnd(
            file.rawValue,
            byteLimit: byteLimit,
            deadline: nil,
            operation: operation
        )
    }

    /// Replaces the file at `path`, or makes it: at any moment, even a power cut, it is the old or the new one.
    ///
    /// The temporary file is in the same directory, since only within one file system a rename is atomic.
    package static func replace(_ path: String, with bytes: [UInt8], mode: UInt32) throws(KernelError) {
        let operation = "write \(path)"
        let directory = Self.directory(of: path)
        let temporary = "\(directory)/.\(Self.name(of: path)).\(getpid()).\(Clock.monotonicNanoseconds())"
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        do throws(KernelError) {
            let file = try OwnedDescriptor(operation) { c_linux_open(temporary, flags, 0o600) }
            try DescriptorStream.writeAll(bytes, to: file.rawValue, operation: operation)
            // Not by `open`, where the umask would take bits away.
            try systemCall(operation) { fchmod(file.rawValue, mode) }
            try systemCall(operation) { fsync(file.rawValue) }
            try systemCall(operation) { c_linux_rename(temporary, path) }
        } catch {
            // What is left is a dot file that nobody reads; the first error says what is wrong.
            _ = unlink(temporary)
            throw error
        }
        let handle = try OwnedDescriptor(operation) {
            c_linux_open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        }
        try systemCall(operation) { fsync(handle.rawValue) }
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: 0x2F) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func name(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: 0x2F) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }
}
