package import LinuxKernel

/// Why a plan could not be made true, or not be compared, in a namespace.
package enum EnforcementError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The namespace is gone, or cannot be entered.
    case namespaceNotUsable(KernelError)

    /// Somebody else is writing there, and did not end in time.
    case busy(KernelError)

    /// The kernel refused the change that the error names; nothing of it remains.
    case refused(KernelError)

    /// A program that is needed is not on this host.
    case programMissing(String)

    /// A program failed; the text is what it said.
    case programFailed(String, output: String)

    /// What the first says, and taking back what had been done until then failed as the second says.
    indirect case notUndone(EnforcementError, EnforcementError)

    package var description: String {
        switch self {
        case .namespaceNotUsable(let error), .busy(let error), .refused(let error): error.description
        case .programMissing(let names): "not found on this host: \(names)"
        case .programFailed(let name, let output): "\(name) failed: \(output)"
        case .notUndone(let error, let undo):
            "\(error.description); what had been done could not be taken back: \(undo.description)"
        }
    }
}
