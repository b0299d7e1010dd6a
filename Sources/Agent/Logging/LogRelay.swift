internal import CNIProtocol
internal import Logging
internal import Synchronization

/// Repeats the plugin's log lines in the agent's log.
final class LogRelay: Sendable {
    private let logger: Logger

    /// The lines of one call stay together.
    private let turn = Mutex(())

    /// The most labels that are kept of one line; upstream's plugin writes three.
    private static let mostLabels = 32

    init(logger: Logger = Logger(label: LogScope.plugin)) { self.logger = logger }

    /// Writes lines, each a JSON object with `level`, `time` and `msg`, and leaves out what is none.
    ///
    /// - Parameters:
    ///   - lines: At most one call's.
    ///   - metadata: Wins over what a line says.
    func write(_ lines: [String], metadata: Logger.Metadata = [:]) {
        turn.withLock { _ in
            for line in lines {
                guard let record = Record(line) else {
                    logger.debug("line left out: it is no log line", metadata: metadata)
                    continue
                }
                logger.log(
                    level: record.level,
                    "\(record.message)",
                    metadata: record.labels.merging(metadata) { _, new in new }
                )
            }
        }
    }

    private struct Record {
        let level: Logger.Level
        let message: String
        var labels: Logger.Metadata

        init?(_ line: String) {
            let value: JSONValue
            do throws(JSONError) {
                value = try JSONValue(parsing: Array(line.utf8))
            } catch {
                return nil
            }
            guard
                let members = value.members, let message = value["msg"]?.string,
                let time = value[LineLogHandler.timeKey]?.string, Self.isTime(time)
            else { return nil }
            switch value["level"]?.string {
            case "debug": level = .debug
            case "info": level = .info
            case "warn": level = .warning
            case "error": level = .error
            default: return nil
            }
            self.message = Self.trimmed(message)
            labels = [LineLogHandler.timeKey: .string(time)]
            let own: Set = ["level", "msg", "scope", LineLogHandler.timeKey]
            for member in members.prefix(LogRelay.mostLabels) where !own.contains(member.name) {
                labels[member.name] = .string(member.value.string ?? member.value.text())
            }
        }

        private static func trimmed(_ text: String) -> String {
            var text = text[...]
            while text.first?.isWhitespace == true { text.removeFirst() }
            while text.last?.isWhitespace == true { text.removeLast() }
            return String(text)
        }

        /// As RFC 3339 writes it, roughly: what else there is would only be printed again.
        private static func isTime(_ text: String) -> Bool {
            (20...35).contains(text.utf8.count) && text.utf8.dropFirst(10).first == UInt8(ascii: "T")
                && text.utf8.allSatisfy { byte in byte < 0x80 }
        }
    }
}
