internal import LinuxKernel
internal import Logging

/// The directory of the agent's sockets and its lock, and of what it keeps over a restart (architecture, decision 15).
enum RunDirectory {
    /// Only root and its group look inside.
    static let mode: UInt32 = 0o750

    /// The most entries that are looked at: the agent itself has a handful.
    private static let mostEntries = 1_000

    /// Makes the directory, or closes one to others that is there: for a `hostPath` the kubelet makes it with mode 0755.
    ///
    /// One that cannot be closed is used all the same, with a warning: the sockets ask each caller who it is.
    static func prepare(_ path: String, _ logger: Logger) throws(KernelError) {
        try Directory.make(path, mode: mode)
        do throws(KernelError) {
            guard let before = try FileStatus.of(path)?.mode, before & 0o777 & ~mode != 0 else { return }
            guard try !isShared(path) else {
                logger.warning(
                    "the run directory has other directories in it and stays open to others; name one of the agent's own",
                    metadata: ["directory": "\(path)", "mode": "\(octal(before))", "setting": "CNI_AGENT_RUN_DIR"]
                )
                return
            }
            let after = before & ~(0o777 & ~mode)
            try Directory.setMode(path, after)
            logger.info(
                "run directory closed to others",
                metadata: ["directory": "\(path)", "mode": "\(octal(after))", "mode_before": "\(octal(before))"]
            )
        } catch {
            logger.warning(
                "the run directory may be open to others; give it mode 0750",
                metadata: ["directory": "\(path)", "error": "\(error.description)"]
            )
        }
    }

    /// Whether other programs have their place in it too: a wrong setting, `/run` or `/tmp`, must not close those.
    private static func isShared(_ path: String) throws(KernelError) -> Bool {
        for name in try Directory.names(in: path, limit: mostEntries)
        where try FileStatus.of("\(path)/\(name)")?.kind == .directory {
            return true
        }
        return false
    }

    private static func octal(_ mode: UInt32) -> String { "0" + String(mode, radix: 8) }
}
