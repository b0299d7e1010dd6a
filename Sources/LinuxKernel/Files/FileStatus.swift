internal import CLinuxKernel

/// What `stat(2)` tells of a file; two that are equal mean that nobody has written in between.
package struct FileStatus: Equatable, Sendable {
    package let kind: Kind

    /// Permissions, without the kind: `0o644`.
    package let mode: UInt32
    package let byteCount: Int
    package let device: UInt64
    package let inode: UInt64

    /// Nanoseconds since 1970 of the last write.
    package let modified: Int

    /// Nanoseconds since 1970 of the last change of any kind.
    package let changed: Int

    package enum Kind: Sendable {
        case regular
        case directory

        /// A pipe, a device, a socket: reading it could wait for ever.
        case other
    }

    /// The file at `path`, behind a link if there is one; nil if there is none.
    package static func of(_ path: String) throws(KernelError) -> FileStatus? {
        var status = stat()
        do throws(KernelError) {
            try systemCall("look at \(path)") { stat(path, &status) }
        } catch {
            guard error.errno == .noSuchEntry else { throw error }
            return nil
        }
        return FileStatus(status)
    }

    /// What a descriptor stands for.
    init(_ descriptor: borrowing OwnedDescriptor, path: String) throws(KernelError) {
        let number = descriptor.rawValue
        var status = stat()
        try systemCall("look at \(path)") { fstat(number, &status) }
        self.init(status)
    }

    private init(_ status: stat) {
        switch CInt(status.st_mode) & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .directory
        default: kind = .other
        }
        mode = UInt32(status.st_mode & 0o7777)
        byteCount = Int(status.st_size)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        modified = Self.nanoseconds(status.st_mtim)
        changed = Self.nanoseconds(status.st_ctim)
    }

    private static func nanoseconds(_ time: timespec) -> Int { Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec) }
}
