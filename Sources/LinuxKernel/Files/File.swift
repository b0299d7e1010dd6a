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
}
