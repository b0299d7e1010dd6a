internal import CNIProtocol

/// What must be undone at the end and cannot be told from the files themselves.
///
/// It stands beside them, since the run directory does not survive a reboot, under a name that no runtime reads.
package struct InstallJournal: Equatable, Sendable {
    package static let fileName = ".istio-cni-journal"

    /// It can hold what a primary CNI keeps to itself.
    package static let mode: UInt32 = 0o600

    /// The longest journal, in bytes: four configurations of the greatest length, and escapes.
    package static let longestBytes = 6 * ConfigurationText.longestBytes

    /// Files that are wholly ours.
    package var made: Set<String> = []

    /// Files that gave way to one of ours.
    package var replaced: [Original] = []

    package struct Original: Equatable, Sendable {
        package var name: String
        package var mode: UInt32
        package var bytes: [UInt8]

        /// The file that stands for it; the name of its own where it was written over.
        package var by: String

        package init(_ file: ConfigurationFile, by: String) {
            name = file.name
            mode = file.mode
            bytes = file.bytes
            self.by = by
        }

        init(name: String, mode: UInt32, bytes: [UInt8], by: String) {
            self.name = name
            self.mode = mode
            self.bytes = bytes
            self.by = by
        }
    }

    package init() {}

    package var isEmpty: Bool { made.isEmpty && replaced.isEmpty }

    /// Notes what a file was before one of ours stands for it; a later state of it counts more than an earlier.
    mutating func note(_ file: ConfigurationFile, by: String) {
        replaced.removeAll { original in original.name == file.name && original.by == by }
        replaced.append(Original(file, by: by))
    }

    func original(by name: String, isSameName: Bool) -> Original? {
        replaced.last { original in original.by == name && (original.name == name) == isSameName }
    }

    mutating func forget(by name: String) {
        replaced.removeAll { original in original.by == name }
        made.remove(name)
    }

    // MARK: As text

    /// Reads a journal; nil where it is none of ours.
    package init?(_ bytes: [UInt8]) {
        guard let value = try? JSONValue(parsing: bytes, limits: Self.limits),
            let names = value["made"]?.strings, let originals = value["replaced"]?.array
        else {
            // Whoever asks says so in the log: somebody has edited it.
            return nil
        }
        made = Set(names)
        for original in originals {
            guard let name = original["name"]?.string, let by = original["by"]?.string,
                let mode = original["mode"]?.integer.flatMap({ mode in UInt32(exactly: mode) }),
                let content = original["content"]?.string.flatMap(Self.bytes)
            else { return nil }
            replaced.append(Original(name: name, mode: mode, bytes: content, by: by))
        }
    }

    package var bytes: [UInt8] {
        let originals = replaced.map { original in
            JSONValue.object([
                JSONMember("name", .string(original.name)),
                JSONMember("by", .string(original.by)),
                JSONMember("mode", .integer(Int(original.mode))),
                JSONMember("content", .string(Self.text(original.bytes))),
            ])
        }
        let value = JSONValue.object([
            JSONMember("about", .string("what istio-cni restores when it is uninstalled; each character is one byte")),
            JSONMember("made", .array(made.sorted().map { name in .string(name) })),
            JSONMember("replaced", .array(originals)),
        ])
        return value.bytes(.indented) + [0x0A]
    }

    private static let limits: JSONLimits = {
        var limits = JSONLimits()
        limits.bytes = longestBytes
        return limits
    }()

    /// One character a byte: readable where it is ASCII, and exact where it is not even UTF-8.
    private static func text(_ bytes: [UInt8]) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: bytes.map { byte in Unicode.Scalar(byte) })
        return String(text)
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            guard let byte = UInt8(exactly: scalar.value) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}
