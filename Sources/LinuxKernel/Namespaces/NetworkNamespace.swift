internal import CLinuxKernel

/// An open handle to a network namespace, which it keeps alive.
///
/// The handle says what a path cannot: runtimes pass links and paths below `/proc`, and a path may
/// name another file by the time it is used.
package struct NetworkNamespace: ~Copyable, Sendable {
    let descriptor: OwnedDescriptor

    /// Opens the file at `path`, such as `/var/run/netns/cni-1234`, whatever it is.
    ///
    /// Ask ``isNetworkNamespace()`` before anything else.
    package init(at path: String) throws(KernelError) {
        descriptor = try OwnedDescriptor("open namespace \(path)") {
            c_linux_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
        }
    }

    init(adopting descriptor: consuming OwnedDescriptor) {
        self.descriptor = descriptor
    }

    /// Opens the namespace of the calling thread.
    package static func current() throws(KernelError) -> NetworkNamespace {
        try NetworkNamespace(at: "/proc/thread-self/ns/net")
    }

    /// Makes a new, empty namespace, which ends with the handle (`unshare(2)`).
    ///
    /// Takes `CAP_SYS_ADMIN` in the caller's user namespace.
    package static func makeNew() throws(KernelError) -> NetworkNamespace {
        try onNewThread { () throws(KernelError) in
            try systemCall("create network namespace") { c_linux_unshare(C_LINUX_CLONE_NEWNET) }
            return try NetworkNamespace.current()
        }
    }

    /// The descriptor's number, for `/proc/self/fd/N` paths that other programs open.
    package var rawDescriptor: CInt { descriptor.rawValue }

    /// Whether the file is a network namespace at all, and not a plain file or one of another kind.
    package func isNetworkNamespace() throws(KernelError) -> Bool {
        let isNamespace = try systemCall("inspect namespace") { c_linux_is_namespace_file(descriptor.rawValue) }
        guard isNamespace == 1 else { return false }
        // `NS_GET_NSTYPE` (ioctl_nsfs(2)) answers with the flag that would make one of the kind.
        return try systemCall("inspect namespace") { c_linux_namespace_kind(descriptor.rawValue) }
            == C_LINUX_CLONE_NEWNET
    }

    /// Whether the caller's own thread is in this namespace: for a plugin, whether it is the host's.
    package func isOwn() throws(KernelError) -> Bool {
        let own = try NetworkNamespace.current()
        return try identity() == own.identity()
    }

    /// Which namespace this is: two handles to the same one have the same identity.
    package func identity() throws(KernelError) -> Identity {
        try Identity(of: descriptor)
    }

    /// A namespace's device and inode numbers, which are its identity while it exists (`namespaces(7)`).
    package struct Identity: Hashable, Sendable {
        package let device: UInt64
        package let inode: UInt64

        init(of descriptor: borrowing OwnedDescriptor) throws(KernelError) {
            try self.init(ofRaw: descriptor.rawValue)
        }

        init(ofRaw descriptor: CInt) throws(KernelError) {
            var status = stat()
            try systemCall("inspect namespace") { fstat(descriptor, &status) }
            self.init(status)
        }

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }
    }

    /// Runs `body` inside this namespace, on a thread of its own.
    ///
    /// A network namespace belongs to a *thread* (`setns(2)`), and an `async` function may change
    /// threads at every `await`. So `body` is synchronous by type, and its thread ends with it:
    /// nothing has to be restored, and no shared thread is ever left inside.
    ///
    /// Prefer opening a socket here and using it outside: a socket stays in the namespace it was
    /// created in.
    package func run<Value: ~Copyable & Sendable>(
        _ body: @escaping @Sendable () throws(KernelError) -> Value
    ) throws(KernelError) -> Value {
        let descriptor = descriptor.rawValue
        return try onNewThread { () throws(KernelError) in
            try Self.enter(descriptor)
            return try body()
        }
    }

    /// Moves the calling thread into a namespace, unless it is there.
    ///
    /// `setns(2)` takes `CAP_SYS_ADMIN` even where nothing changes, and an init container of a pod, which works on its
    /// own namespace, has only `CAP_NET_ADMIN`.
    private static func enter(_ descriptor: CInt) throws(KernelError) {
        do throws(KernelError) {
            try systemCall("enter namespace") { c_linux_setns(descriptor, C_LINUX_CLONE_NEWNET) }
        } catch {
            let own = try NetworkNamespace.current()
            guard error.errno == .notPermitted, try Identity(ofRaw: descriptor) == own.identity() else { throw error }
        }
    }

    /// Opens every socket that a plan needs, with one thread for all of them.
    package func openSockets() throws(KernelError) -> NetworkSockets {
        try run { () throws(KernelError) in
            NetworkSockets(rules: try NFTablesSocket(), routes: try RouteSocket())
        }
    }
}

/// The sockets through which one namespace is configured.
package struct NetworkSockets: ~Copyable, Sendable {
    package let rules: NFTablesSocket
    package let routes: RouteSocket
}
