internal import CLinuxKernel

/// One process as a `/proc` shows it, which need not be our own.
///
/// The handle is the process's directory, and as good as a pidfd: it never comes to mean another process that gets the
/// same number, since what is asked through it fails once the process has ended (`fs/proc/base.c`). A real pidfd cannot
/// be had here: `pidfd_open(2)` takes numbers of the caller's own PID namespace, and a node agent's `/proc` is that of
/// its host.
package struct ProcessEntry: ~Copyable, Sendable {
    private let directory: OwnedDescriptor
    private let path: String

    /// Opens the process `number` of the `/proc` at `root`.
    ///
    /// - Throws: ``Errno/noSuchEntry`` if there is none.
    package init(_ number: Int32, in root: String) throws(KernelError) {
        path = "\(root)/\(number)"
        let path = path
        directory = try OwnedDescriptor("open \(path)") {
            c_linux_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        }
    }

    /// Every process of the `/proc` at `root`, the threads of each left out.
    ///
    /// - Throws: ``Errno/tooBig`` if there are more than `limit`.
    package static func numbers(in root: String, limit: Int) throws(KernelError) -> [Int32] {
        try Directory.names(in: root, limit: limit).compactMap { name in Int32(name) }
    }

    /// The process's file `cgroup` (`cgroups(7)`).
    package func controlGroups() throws(KernelError) -> [UInt8] {
        try File.read(path(of: "cgroup"), byteLimit: Self.fileByteLimit)
    }

    /// When the process started, in clock ticks since the machine did (`proc_pid_stat(5)`, field 22).
    package func startTicks() throws(KernelError) -> UInt64 {
        let bytes = try File.read(path(of: "stat"), byteLimit: Self.fileByteLimit)
        guard let ticks = Self.startTicks(in: bytes) else { throw KernelError("read \(path)/stat", .badMessage) }
        return ticks
    }

    /// Reads field 22; the second is the program's name in brackets, which may hold blanks and brackets itself.
    static func startTicks(in stat: [UInt8]) -> UInt64? {
        guard let bracket = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = stat[(bracket + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > startField else { return nil }
        return UInt64(String(decoding: fields[startField], as: UTF8.self))
    }

    /// Counted from the third.
    private static let startField = 19

    /// Which network namespace the process is in; it is not opened.
    ///
    /// - Throws: ``Errno/accessDenied`` without the right to trace the process.
    package func networkIdentity() throws(KernelError) -> NetworkNamespace.Identity {
        var status = stat()
        try systemCall("inspect \(path)/ns/net") { fstatat(directory.rawValue, "ns/net", &status, 0) }
        return NetworkNamespace.Identity(status)
    }

    /// Opens the network namespace that the process is in.
    package func networkNamespace() throws(KernelError) -> NetworkNamespace {
        try NetworkNamespace(at: path(of: "ns/net"))
    }

    private func path(of name: String) -> String { "/proc/self/fd/\(directory.rawValue)/\(name)" }

    /// A process has a dozen control groups at most, with paths of up to 4 KiB.
    private static let fileByteLimit = 65_536
}
