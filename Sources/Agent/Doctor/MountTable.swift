internal import LinuxKernel

/// What is mounted where, as a process sees it (`proc_pid_mountinfo(5)`).
struct MountTable: Sendable {
    private var mounts: [(point: String, options: [String])] = []

    /// A node with 250 pods has some thousand mounts of 200 bytes.
    private static let longestBytes = 4 * 1_024 * 1_024

    /// - Parameter processes: A `/proc`; where it cannot be read the table is empty.
    init(_ processes: String) {
        do throws(KernelError) {
            let bytes = try File.read("\(processes)/self/mountinfo", byteLimit: Self.longestBytes)
            mounts = Self.mounts(in: String(decoding: bytes, as: UTF8.self))
        } catch {
            // Then nothing is said of mounts: what cannot be written to shows in the installation.
            mounts = []
        }
    }

    /// A line: ids, device, root, mount point, options, optional fields, `-`, type, source, options of the file system.
    private static func mounts(in text: String) -> [(point: String, options: [String])] {
        var mounts: [(point: String, options: [String])] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 5, let dash = words.firstIndex(of: "-"), dash + 3 < words.count else { continue }
            let options = words[5].split(separator: ",") + words[dash + 3].split(separator: ",")
            mounts.append((point: String(words[4]), options: options.map(String.init)))
        }
        return mounts
    }

    /// The options of the mount that a path is on; nil where there is none.
    func options(of path: String) -> [String]? {
        // Of two at one place the later hides the earlier.
        mounts.reversed().filter { mount in
            mount.point == "/" || path == mount.point || path.hasPrefix("\(mount.point)/")
        }.max { left, right in left.point.utf8.count < right.point.utf8.count }?.options
    }
}
