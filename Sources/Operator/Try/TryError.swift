internal import LinuxKernel

/// Why `try` cannot go on, in a sentence that says what to do.
package struct TryError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// Lets a failure of the kernel end `try` with a sentence about what was being done.
func explaining<Value: ~Copyable>(_ purpose: String, _ body: () throws(KernelError) -> Value) throws(TryError) -> Value
{
    do throws(KernelError) {
        return try body()
    } catch {
        throw TryError("\(purpose): \(error.description)")
    }
}
