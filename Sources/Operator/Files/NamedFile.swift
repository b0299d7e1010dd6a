internal import LinuxKernel

/// A file that a person names; what is wrong with it is told under that name.
package enum NamedFile {
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Reads all of it; `-` is standard input.
    ///
    /// - Throws: Why it cannot be read, or that it has more than `byteLimit` bytes.
    package static func read(_ path: String, byteLimit: Int) throws(Failure) -> [UInt8] {
        do throws(KernelError) {
            guard path == "-" else { return try File.read(path, byteLimit: byteLimit) }
            return try OwnProcess.readStandardInput(byteLimit: byteLimit)
        } catch {
            let problem =
                error.errno == .tooBig
                ? "is longer than \(byteLimit) bytes" : "cannot be read: \(error.errno.description)"
            throw Failure(description: "\(name(of: path)) \(problem)")
        }
    }

    /// Writes a file, or into the one that is there.
    ///
    /// - Throws: Why it cannot be written.
    package static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        do throws(KernelError) {
            try File.overwrite(path, with: bytes)
        } catch {
            throw Failure(description: "\(path) cannot be written: \(error.errno.description)")
        }
    }

    /// What a person calls it.
    package static func name(of path: String) -> String { path == "-" ? "standard input" : path }
}
