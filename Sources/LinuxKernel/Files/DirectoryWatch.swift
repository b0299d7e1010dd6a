internal import CLinuxKernel

/// Tells which files of some directories are written, arrive or go (`inotify(7)`).
package final class DirectoryWatch: Sendable {
    private let descriptor: OwnedDescriptor
    private let path: String

    /// A file that has just been made is empty: its end of writing is what counts.
    private static let contentEvents =
        IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR

    /// Links arrive by IN_CREATE alone, and modes change by IN_ATTRIB.
    private static let allEvents = contentEvents | IN_CREATE | IN_ATTRIB

    /// What happened since the last question.
    package enum Change: Equatable, Sendable {
        case nothing

        /// Files by these names, each once.
        case files(Set<String>)

        /// More than the kernel keeps: anything can have changed.
        case everything

        /// The directory itself went away; nothing more will be told.
        case gone
    }

    /// Watches the directory at `path` for files whose content is complete.
    ///
    /// - Throws: ``Errno/noSuchEntry`` if there is none.
    package convenience init(_ path: String) throws(KernelError) {
        try self.init([path], events: Self.contentEvents)
    }

    /// Watches directories for all that can matter to a reader: links and modes too.
    ///
    /// - Throws: ``Errno/noSuchEntry`` if one of them is not there.
    package convenience init(everythingIn paths: [String]) throws(KernelError) {
        try self.init(paths, events: Self.allEvents)
    }

    private init(_ paths: [String], events: CInt) throws(KernelError) {
        let descriptor = try OwnedDescriptor("open inotify") {
            inotify_init1(CInt(IN_NONBLOCK | IN_CLOEXEC))
        }
        for path in paths {
            try systemCall("watch \(path)") { inotify_add_watch(descriptor.rawValue, path, UInt32(events)) }
        }
        self.descriptor = descriptor
        path = paths.joined(separator: ", ")
    }

    /// Waits for a change, at most this long.
    package func wait(milliseconds: Int) throws(KernelError) -> Change {
        let operation = "watch \(path)"
        do throws(KernelError) {
            try descriptor.wait(for: POLLIN, until: Clock.monotonicMilliseconds() + milliseconds, operation: operation)
        } catch {
            guard error.errno == .timedOut else { throw error }
            return .nothing
        }
        let bytes = try DescriptorStream.read(descriptor.rawValue, operation: operation)
        return Self.change(in: Array(bytes))
    }

    /// Reads `struct inotify_event`: watch, mask, cookie and length of 32 bits each, then the name and zeros.
    private static func change(in bytes: [UInt8]) -> Change {
        var names: Set<String> = []
        var isIncomplete = false
        var offset = 0
        while offset + eventBytes <= bytes.count {
            let mask = number(in: bytes, at: offset + 4)
            let end = offset + eventBytes + Int(number(in: bytes, at: offset + 12))
            guard end <= bytes.count else { break }
            if mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT) != 0 { return .gone }
            if mask & UInt32(IN_Q_OVERFLOW) != 0 { isIncomplete = true }
            let name = bytes[(offset + eventBytes)..<end].prefix { byte in byte != 0 }
            if !name.isEmpty { names.insert(String(decoding: name, as: UTF8.self)) }
            offset = end
        }
        return isIncomplete ? .everything : names.isEmpty ? .nothing : .files(names)
    }

    private static let eventBytes = 16

    private static func number(in bytes: [UInt8], at offset: Int) -> UInt32 {
        bytes.withUnsafeBytes { buffer in buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
    }
}
