internal import CLinuxKernel

/// Runs `body` on a new thread, waits for the thread to end, and returns what `body` returned.
func onNewThread<Value: ~Copyable & Sendable>(
    _ body: @escaping @Sendable () throws(KernelError) -> Value
) throws(KernelError) -> Value {
    let job = ThreadJob<Value>(body)
    let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        guard let context else { preconditionFailure("a thread starts with its job") }
        Unmanaged<AnyThreadJob>.fromOpaque(context).takeRetainedValue().run()
        return nil
    }
    let context = Unmanaged<AnyThreadJob>.passRetained(job)

    var thread = pthread_t()
    let status = pthread_create(&thread, nil, start, context.toOpaque())
    guard status == 0 else {
        context.release()
        throw KernelError("create thread", Errno(rawValue: status))
    }
    pthread_join(thread, nil)
    return try job.takeResult()
}

/// A job without its type, which a C callback can name.
private class AnyThreadJob {
    func run() { preconditionFailure("every job overrides this") }
}

private final class ThreadJob<Value: ~Copyable & Sendable>: AnyThreadJob {
    private let body: @Sendable () throws(KernelError) -> Value
    private var result: Result<Value, KernelError>?

    init(_ body: @escaping @Sendable () throws(KernelError) -> Value) {
        self.body = body
    }

    override func run() {
        do throws(KernelError) {
            result = .success(try body())
        } catch {
            result = .failure(error)
        }
    }

    /// The result, which belongs to the caller from here on.
    ///
    /// `pthread_join` orders this after `run`.
    func takeResult() throws(KernelError) -> Value {
        guard let taken = result.take() else { preconditionFailure("the thread has ended") }
        return try taken.get()
    }
}
