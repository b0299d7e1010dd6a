internal import CLinuxKernel

/// The files below a directory that stands for another root, such as `/proc/PID/root` of a process with its own mounts.
///
/// Links are followed as a process with that root would follow them, and none leads out (`openat2(2)`,
/// `RESOLVE_IN_ROOT`, Linux 5.6), so what somebody else has put there cannot name a file of this process.
package struct FileTree: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    /// Opens the directory at `root`.
    ///
    /// - Throws: ``Errno/accessDenied`` without the right to trace the process, for a `/proc/PID/root`.
    package init(_ root: String) throws(KernelError) {
        descriptor = try OwnedDescriptor("open \(root)") {
            c_linux_open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        }
    }

    /// What `path` is; nil if nothing is there.
    package func status(_ path: String) throws(KernelError) -> FileStatus? {
        guard let file = try openIfThere(path) else { return nil }
        return try FileStatus(file, path: path)
    }

    /// Reads a regular file; nil if nothing is there.
    ///
    /// - Throws: ``Errno/tooBig`` if it has more than `byteLimit` bytes, ``Errno/invalidArgument`` if it is no file.
    package func read(_ path: String, byteLimit: Int) throws(KernelError) -> [UInt8]? {
        guard let file = try openIfThere(path) else { return nil }
        // Of this very file: a name may lead elsewhere by the next call, and opening a FIFO waits.
        guard try FileStatus(file, path: path).kind == .regular else {
            throw KernelError("read \(path)", .invalidArgument)
        }
        return try File.read("/proc/self/fd/\(file.rawValue)", byteLimit: byteLimit)
    }

    /// The names of what is in a directory, in order; none if nothing is there.
    ///
    /// - Throws: ``Errno/tooBig`` if there are more than `limit`.
    package func names(in path: String, limit: Int) throws(KernelError) -> [String] {
        guard let directory = try openIfThere(path) else { return [] }
        return try Directory.names(in: "/proc/self/fd/\(directory.rawValue)", limit: limit)
    }

    /// A handle of what is there, which neither waits nor reads; nil if nothing is there.
    private func openIfThere(_ path: String) throws(KernelError) -> OwnedDescriptor? {
        do throws(KernelError) {
            return try OwnedDescriptor("open \(path)") { c_linux_open_in_root(descriptor.rawValue, path) }
        } catch {
            guard error.errno == .noSuchEntry else { throw error }
            return nil
        }
    }
}
