import Foundation
import Testing

/// `strace` in front of a call: it notes what the call asks of the kernel, or puts faults in its way.
struct Strace: Sendable {
    private let directory: TemporaryDirectory
    private var log: String { directory.path("trace") }

    init() throws { directory = try TemporaryDirectory() }

    /// The words before the program's name that note these calls of it and of its children.
    func noting(_ calls: [String]) -> [String] {
        ["/usr/bin/strace", "-f", "-qq", "-o", log, "-e", "trace=\(calls.joined(separator: ","))"]
    }

    /// The same, and the n-th such call of a thread brings a signal, before it is carried out.
    ///
    /// strace counts by call and by thread (strace(1), "when").
    func sending(_ signal: String, at call: String, _ number: Int) -> [String] {
        noting([call]) + ["-e", "inject=\(call):signal=\(signal):when=\(number)"]
    }

    /// What was noted, a line a call, without the thread's number.
    func calls() throws -> [String] {
        try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map { line in
            String(line.drop { $0.isNumber }.drop { $0 == " " })
        }
    }

    /// How often each call was made by the thread that made it most often.
    func counts() throws -> [String: Int] { Self.counts(try String(contentsOfFile: log, encoding: .utf8)) }

    /// Of lines such as `5712  connect(3, ...) = 0`: thread numbers of less than five digits are padded.
    static func counts(_ text: String) -> [String: Int] {
        var counts: [String: [Substring: Int]] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2, let end = words[1].firstIndex(of: "(") else { continue }
            let call = words[1][..<end].drop { $0 == " " }
            if call.hasPrefix("<") { continue }
            counts[String(call), default: [:]][words[0], default: 0] += 1
        }
        return counts.mapValues { $0.values.max() ?? 0 }
    }
}
