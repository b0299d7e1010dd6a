internal import CLinuxKernel

/// Files that are replaced as a whole: at any moment, even a power cut, there is the old one or the new one.
///
/// The temporary file is in the same directory: only within one file system is a rename atomic, and containerd 1.6
/// does not notice a file that is renamed in from another directory. Its name ends in nothing that a container
/// runtime loads.
extension File {
    /// How the names of temporary files begin; one that is found later was left by a process that was killed.
    package static let temporaryPrefix = ".istio-cni-tmp."

    /// Replaces the file at `path`, or makes it.
    @discardableResult
    package static func replace(
        _ path: String,
        with bytes: [UInt8],
        mode: UInt32
    ) throws(KernelError) -> FileStatus {
        let operation = "write \(path)"
        return try replace(path, mode: mode, operation: operation) { descriptor throws(KernelError) in
            try DescriptorStream.writeAll(bytes, to: descriptor, operation: operation)
        }
    }

    /// Replaces the file at `target` by a copy of the one at `source`, a piece at a time.
    package static func copy(_ source: String, to target: String, mode: UInt32) throws(KernelError) {
        let operation = "copy \(source) to \(target)"
        let input = try OwnedDescriptor(operation) { c_linux_open(source, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0) }
        let inputNumber = input.rawValue
        try replace(target, mode: mode, operation: operation) { descriptor throws(KernelError) in
            while true {
                let piece = try DescriptorStream.read(inputNumber, operation: operation)
                if piece.isEmpty { break }
                try DescriptorStream.writeAll(Array(piece), to: descriptor, operation: operation)
            }
        }
        // Else the pages of a file that nobody here reads count as this container's memory (istio/istio#53493).
        // It is advice: what it returns changes nothing.
        posix_fadvise(inputNumber, 0, 0, POSIX_FADV_DONTNEED)
    }

    /// Whether two files hold the same bytes.
    package static func haveSameContent(_ left: String, _ right: String) throws(KernelError) -> Bool {
        let operation = "compare \(left) with \(right)"
        let first = try OwnedDescriptor(operation) { c_linux_open(left, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0) }
        let second = try OwnedDescriptor(operation) { c_linux_open(right, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0) }
        while true {
            let piece = try DescriptorStream.read(first.rawValue, operation: operation)
            var other: [UInt8] = []
            while other.count < max(piece.count, 1) {
                let next = try DescriptorStream.read(
                    second.rawValue,
                    byteLimit: max(piece.count, 1) - other.count,
                    operation: operation
                )
                if next.isEmpty { break }
                other += next
            }
            // `elementsEqual` takes a second for a plugin without optimization.
            let isEqual = piece.withUnsafeBytes { left in
                other.withUnsafeBytes { right -> Bool in
                    guard left.count == right.count else { return false }
                    guard let first = left.baseAddress, let second = right.baseAddress else { return true }
                    return memcmp(first, second, left.count) == 0
                }
            }
            guard isEqual else { return false }
            if piece.isEmpty { return true }
        }
    }

    /// Removes the file at `path`, so that a power cut does not bring it back; tells whether there was one.
    @discardableResult
    package static func remove(_ path: String) throws(KernelError) -> Bool {
        let operation = "remove \(path)"
        do throws(KernelError) {
            try systemCall(operation) { unlink(path) }
        } catch {
            guard error.errno == .noSuchEntry else { throw error }
            return false
        }
        try synchronizeDirectory(of: path, operation: operation)
        return true
    }

    /// - Returns: The status of what was written, taken before others can see it.
    @discardableResult
    private static func replace(
        _ path: String,
        mode: UInt32,
        operation: String,
        _ write: (CInt) throws(KernelError) -> Void
    ) throws(KernelError) -> FileStatus {
        // Process ids alone repeat: in a container it is always 1.
        let temporary = "\(directory(of: path))/\(temporaryPrefix)\(getpid()).\(Clock.monotonicNanoseconds())"
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let status: FileStatus
        do throws(KernelError) {
            let file = try OwnedDescriptor(operation) { c_linux_open(temporary, flags, 0o600) }
            try write(file.rawValue)
            // Not by `open`, where the umask would take bits away.
            try systemCall(operation) { fchmod(file.rawValue, mode) }
            try systemCall(operation) { fsync(file.rawValue) }
            posix_fadvise(file.rawValue, 0, 0, POSIX_FADV_DONTNEED)
            status = try FileStatus(file, path: path)
            try systemCall(operation) { c_linux_rename(temporary, path) }
        } catch {
            // What is left is a dot file that nobody reads; the first error says what is wrong.
            _ = unlink(temporary)
            throw error
        }
        try synchronizeDirectory(of: path, operation: operation)
        return status
    }

    private static func synchronizeDirectory(of path: String, operation: String) throws(KernelError) {
        let directory = directory(of: path)
        let handle = try OwnedDescriptor(operation) {
            c_linux_open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        }
        try systemCall(operation) { fsync(handle.rawValue) }
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: 0x2F) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
