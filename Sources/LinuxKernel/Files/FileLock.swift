internal import CLinuxKernel

/// A file that at most one process holds, until that process ends or lets go (`flock(2)`).
package struct FileLock: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    /// Takes the lock, without waiting.
    ///
    /// The file is made with mode 0600 if there is none, and stays.
    ///
    /// - Throws: ``Errno/wouldBlock`` if another process holds it.
    package init(_ path: String) throws(KernelError) {
        let descriptor = try OwnedDescriptor("open \(path)") {
            c_linux_open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        }
        try systemCall("lock \(path)") { flock(descriptor.rawValue, LOCK_EX | LOCK_NB) }
        self.descriptor = descriptor
    }
}
