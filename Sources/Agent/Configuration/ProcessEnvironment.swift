package import LinuxKernel

/// The environment that this process was started with.
package enum ProcessEnvironment {
    /// Every variable.
    ///
    /// Read from the kernel (`proc_pid_environ(5)`) and not by name, since a name that is misspelt is one to tell
    /// about.
    package static func all() throws(KernelError) -> [String: String] {
        parse(try File.read("/proc/self/environ", byteLimit: longestBytes))
    }

    /// Reads `NAME=value`, each with a zero at its end; the first of two with one name counts, as for `getenv(3)`.
    static func parse(_ bytes: [UInt8]) -> [String: String] {
        var result: [String: String] = [:]
        for entry in bytes.split(separator: 0) {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = String(decoding: entry[..<equals], as: UTF8.self)
            if result[name] == nil { result[name] = String(decoding: entry[(equals + 1)...], as: UTF8.self) }
        }
        return result
    }

    /// What the kernel gives to arguments and environment with the default stack limit (`execve(2)`).
    private static let longestBytes = 2 * 1_024 * 1_024
}
