internal import CLinuxKernel

/// What `stat(2)` tells of a file; two that are equal mean that nobody has written in between.
package struct FileStatus: Equatable, Sendable {
    package let kind: Kind

    /// Permissions, without the kind: `0o644`.
    package let mode: UInt32
    package let byteCount: Int
    package let device: UInt64
    package let inode: UInt64

    /// Nanoseconds since 1970 of the last write, at least 0; a time after 2262, which `touch` can set, is `Int.max`.
    package let modified: Int

    /// The same of the last change of any kind.
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
        modified = Self.nanoseconds(status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
        changed = Self.nanoseconds(status.st_ctim.tv_sec, status.st_ctim.tv_nsec)
    }

    static func nanoseconds(_ seconds: Int, _ rest: Int) -> Int {
        guard seconds >= 0 else { return 0 }
        let (whole, isTooMuch) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isTooLate) = whole.addingReportingOverflow(rest)
        return isTooMuch || isTooLate ? .max : sum
    }
}
