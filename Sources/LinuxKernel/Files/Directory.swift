internal import CLinuxKernel

/// Whole directories.
package enum Directory {
    /// Makes a directory, if there is none, with exactly this mode, and those above it with mode 0755.
    ///
    /// One that is there keeps its mode.
    package static func make(_ path: String, mode: UInt32) throws(KernelError) {
        let operation = "make directory \(path)"
        var end = path.utf8.startIndex
        while let slash = path.utf8[end...].dropFirst().firstIndex(of: 0x2F) {
            try makeOne(String(path[..<slash]), mode: 0o755, operation: operation)
            end = slash
        }
        guard try makeOne(path, mode: mode, operation: operation) else { return }
        // Not by `mkdir`, where the umask would take bits away.
        try setMode(path, mode)
    }

    /// Changes the mode of a directory that is there.
    package static func setMode(_ path: String, _ mode: UInt32) throws(KernelError) {
        try systemCall("set mode 0\(String(mode, radix: 8)) of \(path)") { chmod(path, mode) }
    }

    /// Whether it had to be made.
    @discardableResult
    private static func makeOne(_ path: String, mode: UInt32, operation: String) throws(KernelError) -> Bool {
        do throws(KernelError) {
            try systemCall(operation) { mkdir(path, mode) }
            return true
        } catch {
            // A file in its place is found out by whoever looks into the directory.
            guard error.errno == .alreadyExists else { throw error }
            return false
        }
    }

    /// The names of what is in a directory, but for `.` and `..`, in order.
    ///
    /// - Throws: ``Errno/tooBig`` if there are more than `limit`.
    package static func names(in path: String, limit: Int) throws(KernelError) -> [String] {
        let operation = "list \(path)"
        guard let stream = opendir(path) else {
            // The call itself cannot be repeated to read its errno, so a second one that must fail alike is.
            _ = try OwnedDescriptor(operation) { c_linux_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
            throw KernelError(operation, .noSuchEntry)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { text in String(cString: text) }
            }
            if name == "." || name == ".." { continue }
            guard names.count < limit else { throw KernelError(operation, .tooBig) }
            names.append(name)
        }
        return names.sorted()
    }
}
