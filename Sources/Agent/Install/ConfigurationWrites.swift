package import CNIProtocol
internal import LinuxKernel

/// What this agent has written to the configuration directory since it started, so that others can tell who wrote last.
package struct ConfigurationWrites: Equatable, Sendable {
    /// As this agent has it mounted.
    package let directory: String

    /// By the file's name.
    private var marks: [String: Mark] = [:]

    /// What tells one write from every other: a file that is replaced has a new inode, one that is written a new time.
    private struct Mark: Equatable, Sendable {
        var inode: Int

        /// Nanoseconds since 1970.
        var modified: Int

        init(inode: Int, modified: Int) {
            self.inode = inode
            self.modified = modified
        }

        /// An inode is a number of 64 bits without a sign, of which only equality counts.
        init(_ status: FileStatus) {
            self.init(inode: Int(truncatingIfNeeded: status.inode), modified: status.modified)
        }
    }

    /// Who wrote a file last.
    enum Author: Equatable, Sendable {
        case agent

        /// Another program, after this agent wrote it at that moment, in nanoseconds since 1970.
        case other(since: Int)

        /// Somebody before this agent started, or another program since: this agent has not written it.
        case notAgent

        /// This agent looks after another directory.
        case unknown
    }

    init(directory: String) { self.directory = directory }

    mutating func note(_ name: String, _ status: FileStatus) { marks[name] = Mark(status) }

    mutating func forget(_ name: String) { marks[name] = nil }

    func author(of name: String, in directory: String, _ status: FileStatus) -> Author {
        // The same file can have another path here.
        if marks[name] == Mark(status) { return .agent }
        guard directory == self.directory else { return .unknown }
        return marks[name].map { mark in .other(since: mark.modified) } ?? .notAgent
    }

    // MARK: As text

    /// Reads ``value``; nil where it is none, as from an agent that does not install or is older.
    init?(_ value: JSONValue) {
        guard let directory = value["directory"]?.string, let list = value["writes"]?.array else { return nil }
        self.directory = directory
        for write in list {
            guard let name = write["file"]?.string, let inode = write["inode"]?.integer,
                let modified = write["modified"]?.integer
            else { return nil }
            marks[name] = Mark(inode: inode, modified: modified)
        }
    }

    /// For `/v1/status`.
    package var value: JSONValue {
        let list = marks.sorted { one, two in one.key < two.key }.map { name, mark in
            JSONValue.object([
                JSONMember("file", .string(name)), JSONMember("inode", .integer(mark.inode)),
                JSONMember("modified", .integer(mark.modified)),
            ])
        }
        return .object([JSONMember("directory", .string(directory)), JSONMember("writes", .array(list))])
    }
}
