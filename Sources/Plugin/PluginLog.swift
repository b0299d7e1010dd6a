internal import CNIProtocol
internal import LinuxKernel

/// What one call has to say beside its result: JSON lines, in the form that upstream's plugin has.
///
/// Each line goes to standard error at once. Standard output belongs to the result.
struct PluginLog {
    private let threshold: Level
    private let labels: [JSONMember]

    /// The lines so far, each with its newline.
    private(set) var lines: [String] = []

    /// How much one call may say, in lines: it says a handful, and retries must not fill the agent's memory.
    private static let longestLog = 100

    enum Level: Int {
        case debug
        case info
        case warn
        case error
        case none

        var name: String {
            switch self {
            case .debug: "debug"
            case .info: "info"
            case .warn: "warn"
            case .error: "error"
            case .none: "none"
            }
        }

        /// A level of `plugin_log_level`; "" means info, and so does a word that nobody knows.
        init(_ word: String) {
            switch word {
            case "debug": self = .debug
            case "warn": self = .warn
            case "error", "fatal": self = .error
            case "none": self = .none
            default: self = .info
            }
        }
    }

    /// - Parameters:
    ///   - level: `plugin_log_level` as written.
    ///   - labels: What is known about the call, repeated on each line.
    init(level: String, labels: [(String, String)]) {
        threshold = Level(level)
        self.labels = labels.map { JSONMember($0.0, .string($0.1)) }
    }

    mutating func debug(_ message: String, _ details: [(String, String)] = []) { add(.debug, message, details) }
    mutating func info(_ message: String, _ details: [(String, String)] = []) { add(.info, message, details) }
    mutating func warn(_ message: String, _ details: [(String, String)] = []) { add(.warn, message, details) }
    mutating func error(_ message: String, _ details: [(String, String)] = []) { add(.error, message, details) }

    private mutating func add(_ level: Level, _ message: String, _ details: [(String, String)]) {
        guard level.rawValue >= threshold.rawValue, lines.count < Self.longestLog else { return }
        var members = [
            JSONMember("level", .string(level.name)),
            JSONMember("time", .string(Clock.timestamp())),
            JSONMember("msg", .string(message)),
        ]
        members += labels
        members += details.map { JSONMember($0.0, .string($0.1)) }
        let bytes = JSONValue.object(members).bytes(.compact) + [UInt8(ascii: "\n")]
        lines.append(String(decoding: bytes, as: UTF8.self))
        // There is nobody to tell that standard error is gone.
        try? OwnProcess.writeStandardError(bytes)
    }

    /// Keeps the lines in `istio-cni.log` of the run directory, as far as that can be written.
    func appendToFile(in runDirectory: String) {
        guard !lines.isEmpty else { return }
        let file = BoundedLog("\(runDirectory)/istio-cni.log", byteLimit: Self.longestFileBytes)
        for line in lines {
            do throws(KernelError) {
                try file.append(Array(line.utf8.dropLast()))
            } catch {
                // A full or read-only run directory must not stop pods; standard error has the lines.
                return
            }
        }
    }

    /// Weeks of a busy node; the older half is kept once.
    private static let longestFileBytes = 10 * 1_024 * 1_024
}
