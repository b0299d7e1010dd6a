internal import CLinuxKernel

/// A program on this host.
package enum ExecutableFile {
    /// Whether there is a file at `path` that this process may execute (`access(2)`).
    package static func isPresent(_ path: String) -> Bool {
        access(path, X_OK) == 0
    }
}
