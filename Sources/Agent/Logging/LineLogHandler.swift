internal import CNIProtocol
internal import LinuxKernel
package import Logging

/// Writes each message as one line to standard error, with the keys of upstream's log.
package struct LineLogHandler: LogHandler {
    package enum Format: Sendable {
        /// `{"level":"info","time":"...","scope":"cni-agent","msg":"...","pod":"ns/name"}`.
        case json

        /// The same in this order, with a tab between, and `key=value`.
        case text
    }

    /// A line of the plugin brings its own time along, which then counts.
    package static let timeKey = "time"

    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let isSilent: Bool
    private let scope: String
    private let format: Format
    private let write: @Sendable ([UInt8]) -> Void

    package init(
        scope: String,
        levels: LogLevels,
        format: Format,
        write: @escaping @Sendable ([UInt8]) -> Void = Self.writeStandardError
    ) {
        self.scope = scope
        self.format = format
        self.write = write
        let level = levels.level(of: scope)
        logLevel = level ?? .critical
        isSilent = level == nil
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        guard !isSilent else { return }
        var labels = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let time = labels.removeValue(forKey: Self.timeKey)?.description ?? Clock.timestamp()
        let fixed = [
            ("level", LogLevels.word(for: event.level)), ("time", time), ("scope", scope),
            ("msg", event.message.description),
        ]
        let rest = labels.sorted { left, right in left.key < right.key }.map { label in
            (label.key, label.value.description)
        }
        switch format {
        case .json:
            let members = (fixed + rest).map { key, value in JSONMember(key, .string(value)) }
            write(JSONValue.object(members).bytes() + [0x0A])
        case .text:
            let words = [fixed[1].1, fixed[0].1, scope, fixed[3].1] + rest.map { key, value in "\(key)=\(value)" }
            let line = words.map { word in Self.printable(word) }.joined(separator: "\t")
            write(Array((line + "\n").utf8))
        }
    }

    /// Without line breaks and terminal sequences, which would let a pod write lines of its own.
    package static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { scalar in isControl(scalar) }) else { return text }
        return text.unicodeScalars.reduce(into: "") { result, scalar in
            result += isControl(scalar) ? "\\u{" + String(scalar.value, radix: 16) + "}" : String(scalar)
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E: true
        default: false
        }
    }

    @Sendable package static func writeStandardError(_ bytes: [UInt8]) {
        do throws(KernelError) {
            try OwnProcess.writeStandardError(bytes)
        } catch {
            // There is no other place to say it.
        }
    }
}
