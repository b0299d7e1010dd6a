internal import CLinuxKernel

/// An open handle to the user namespace that decides who may change a network namespace.
package struct UserNamespace: ~Copyable, Sendable {
    let descriptor: OwnedDescriptor

    /// Whether the calling process is in another one (`hostUsers: false` pods).
    package func differsFromOwn() throws(KernelError) -> Bool {
        let own = try OwnedDescriptor("open own user namespace") {
            c_linux_open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC, 0)
        }
        return try NetworkNamespace.Identity(of: descriptor) != NetworkNamespace.Identity(of: own)
    }

    consuming func taken() -> OwnedDescriptor { descriptor }
}

extension NetworkNamespace {
    /// The user namespace that owns this one (`NS_GET_USERNS`, `ioctl_nsfs(2)`).
    ///
    /// - Throws: ``Errno/notPermitted`` if it is outside of what the caller can see, as for an
    ///   ancestor of the caller's own.
    package func owningUserNamespace() throws(KernelError) -> UserNamespace {
        UserNamespace(
            descriptor: try OwnedDescriptor("find the namespace's owner") {
                c_linux_owning_user_namespace(descriptor.rawValue)
            }
        )
    }
}
