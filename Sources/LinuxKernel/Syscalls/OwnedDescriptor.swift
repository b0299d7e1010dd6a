internal import CLinuxKernel

/// A file descriptor with exactly one owner, closed when that owner goes out of scope.
///
/// The type cannot be copied, so a descriptor can be neither closed twice nor used after close.
package struct OwnedDescriptor: ~Copyable, Sendable {
    package let rawValue: CInt

    /// Takes ownership of a descriptor that nobody else closes; -1 stands for none.
    package init(adopting rawValue: CInt) {
        self.rawValue = rawValue
    }

    /// Takes ownership of the descriptor that `call` returns.
    init(_ operation: @autoclosure () -> String, _ call: () -> CInt) throws(KernelError) {
        rawValue = try systemCall(operation(), call)
    }

    deinit {
        if rawValue >= 0 { close(rawValue) }
    }
}
