internal import CLinuxKernel

/// Whole files.
package enum File {
    /// Reads the file at `path`.
    ///
    /// - Throws: ``Errno/tooBig`` if it has more than `byteLimit` bytes.
    package static func read(_ path: String, byteLimit: Int) throws(KernelError) -> [UInt8] {
        let operation = "read \(path)"
        let file = try OwnedDescriptor(operation) { c_linux_open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0) }
        return try DescriptorStream.readToEnd(
            file.rawValue,
            byteLimit: byteLimit,
            deadline: nil,
            operation: operation
        )
    }

    /// Writes a file, or into the one that is there: what else that is (a link, a device, its mode) stays.
    package static func overwrite(_ path: String, with bytes: [UInt8]) throws(KernelError) {
        let operation = "write \(path)"
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY
        let file = try OwnedDescriptor(operation) { c_linux_open(path, flags, 0o666) }
        try DescriptorStream.writeAll(bytes, to: file.rawValue, operation: operation)
    }
}
