internal import CLinuxKernel

extension NetworkNamespace {
    /// Waits until no other process is applying rules to this namespace, and keeps others out.
    ///
    /// The lock is `flock(2)` on the namespace's own inode, so it needs no file, and holds between
    /// processes that know the namespace by different paths. It belongs to this handle's open file
    /// and ends with the handle, or with the process; a child that is being started
    /// at that moment shares the handle until its exec.
    ///
    /// - Parameter waitMilliseconds: How long to wait for another holder.
    /// - Throws: ``Errno/timedOut`` if another process still holds it by then.
    package func lock(waitMilliseconds: Int) throws(KernelError) {
        let deadline = Clock.monotonicMilliseconds() + waitMilliseconds
        var pause = Self.firstPauseMicroseconds
        while true {
            do throws(KernelError) {
                try systemCall("lock namespace") { flock(descriptor.rawValue, LOCK_EX | LOCK_NB) }
                return
            } catch {
                guard error.errno == .wouldBlock else { throw error }
            }
            guard Clock.monotonicMilliseconds() < deadline else {
                throw KernelError("lock namespace: another process holds it", .timedOut)
            }
            usleep(pause)
            pause = min(pause * 2, Self.longestPauseMicroseconds)
        }
    }

    /// The holder needs about 1 ms.
    private static let firstPauseMicroseconds: useconds_t = 500

    /// A hundred that wait must not take the holder's processor from it.
    private static let longestPauseMicroseconds: useconds_t = 16_000
}
