internal import CLinuxKernel

/// A thread that nobody waits for: for work that blocks, which the threads of Swift's tasks may not do.
package enum DetachedThread {
    private final class Job {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs `body` on a new thread.
    ///
    /// - Throws: ``Errno/wouldBlock`` where the process has as many threads as it may have.
    package static func start(_ body: @escaping @Sendable () -> Void) throws(KernelError) {
        let job = Unmanaged.passRetained(Job(body))
        var thread = pthread_t()
        let status = pthread_create(
            &thread,
            nil,
            { context in
                if let context { Unmanaged<Job>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            },
            job.toOpaque()
        )
        guard status == 0 else {
            job.release()
            throw KernelError("create thread", Errno(rawValue: status))
        }
        pthread_detach(thread)
    }
}
