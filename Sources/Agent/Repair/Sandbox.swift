package import LinuxKernel

/// The network namespace of a pod, found and checked.
package final class Sandbox: Sendable {
    package let namespace: NetworkNamespace

    /// The oldest process of the pod in there, by its number on the host; nil where a mount alone keeps the namespace.
    package let process: Int32?

    init(_ namespace: consuming NetworkNamespace, process: Int32?) {
        self.namespace = namespace
        self.process = process
    }
}

/// What came of looking for a pod's sandbox.
package enum SandboxFinding: Sendable {
    case found(Sandbox)

    /// There is no process and no namespace of it: it has not been made yet, or is gone.
    case notFound

    /// A process of another pod has the pod's address. It is left alone.
    case addressIsElsewhere(process: Int32, podUID: String)

    /// A process has the pod's UID, and its namespace none of the pod's addresses.
    case addressDiffers(process: Int32)

    /// Several pods, or the host, live in the namespace.
    case shared(process: Int32)

    /// It is there and cannot be looked into.
    case unreadable(KernelError)
}
