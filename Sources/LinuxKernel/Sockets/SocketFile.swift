internal import CLinuxKernel

/// The file that stands for a listening socket.
package struct SocketFile: Equatable, Sendable {
    package let path: String

    /// What tells it from a successor at the same path.
    private let device: UInt64
    private let inode: UInt64

    /// The most bytes of a path that a socket can have (`sun_path` of `unix(7)`, less its zero).
    package static let longestPathBytes = 107

    /// Gives a socket that was bound under a temporary name its mode and its real one, in one step.
    ///
    /// So nobody sees it with another mode, and a predecessor is replaced without a gap.
    package init(publishing temporary: String, as path: String, mode: UInt32) throws(KernelError) {
        let operation = "publish socket \(path)"
        try systemCall(operation) { chmod(temporary, mode) }
        let identity = try Self.identity(of: temporary, operation: operation)
        try systemCall(operation) { c_linux_rename(temporary, path) }
        self.path = path
        device = identity.device
        inode = identity.inode
    }

    /// Whether the path still leads here.
    package var isInPlace: Bool {
        do throws(KernelError) {
            let identity = try Self.identity(of: path, operation: "look at \(path)")
            return identity.device == device && identity.inode == inode
        } catch {
            // What cannot be looked at cannot be connected to.
            return false
        }
    }

    /// Removes the file, unless it is a successor's.
    package func remove() throws(KernelError) {
        guard isInPlace else { return }
        try systemCall("remove socket \(path)") { unlink(path) }
    }

    private static func identity(
        of path: String,
        operation: String
    ) throws(KernelError) -> (device: UInt64, inode: UInt64) {
        var status = stat()
        try systemCall(operation) { lstat(path, &status) }
        return (UInt64(status.st_dev), UInt64(status.st_ino))
    }
}

/// Who is at the other end of a Unix socket: `struct ucred`, as `SO_PEERCRED` returns it (`unix(7)`).
package struct PeerCredentials: Equatable, Sendable {
    package var process: Int32
    package var user: UInt32
    package var group: UInt32

    package static let optionLevel: CInt = SOL_SOCKET
    package static let option: CInt = SO_PEERCRED
}
