internal import CLinuxKernel

/// A request the kernel refused.
package struct KernelError: Error, Hashable, CustomStringConvertible {
    /// What was being done, in words an operator can act on: `open namespace /proc/7/ns/net`.
    package let operation: String

    /// What the kernel answered.
    package let errno: Errno

    /// The kernel's own sentence about it, if it gave one (`NETLINK_EXT_ACK`).
    package let explanation: String?

    package init(_ operation: String, _ errno: Errno, explanation: String? = nil) {
        self.operation = operation
        self.errno = errno
        self.explanation = explanation
    }

    package var description: String {
        guard let explanation else { return "\(operation): \(errno.description)" }
        return "\(operation): \(errno.description) (\(explanation))"
    }
}

/// Makes one system call and returns its value, or throws the `errno` it set.
///
/// `errno` is read before anything else can run, so no later call can overwrite it.
///
/// - Parameters:
///   - operation: What the call is for, said in the error.
///   - retryOnInterrupt: Whether to repeat a call that fails with `EINTR`. Pass `false` for
///     `close(2)`: Linux has released the descriptor by then.
///   - call: The call itself and nothing else.
/// - Returns: What the call returned, which is not -1.
/// - Throws: The operation and its `errno`.
@discardableResult
func systemCall<Value: FixedWidthInteger>(
    _ operation: @autoclosure () -> String,
    retryOnInterrupt: Bool = true,
    _ call: () -> Value
) throws(KernelError) -> Value {
    while true {
        let value = call()
        if value != -1 { return value }

        let error = Errno(rawValue: c_linux_errno())
        guard retryOnInterrupt, error == .interrupted else {
            throw KernelError(operation(), error)
        }
    }
}
