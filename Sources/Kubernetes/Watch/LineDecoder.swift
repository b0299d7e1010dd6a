/// Cuts a stream of bytes into lines, wherever the network cut it into chunks.
///
/// A watch is one JSON object a line, and a line may come in many chunks or many lines in one.
package struct LineDecoder: Sendable {
    /// The longest line that is read, in bytes: etcd takes no request over 1.5 MiB by default, and escapes make it longer.
    package static let longestLineBytes = 4 * 1_024 * 1_024

    private var partial: [UInt8] = []

    package init() {}

    /// Whether the last line has no end yet.
    package var isInsideLine: Bool { !partial.isEmpty }

    /// Takes the next chunk and returns the lines that it completes; empty ones are left out.
    ///
    /// A chunk that completes none is not an error and not the end: the rest is still to come.
    package mutating func append(_ chunk: [UInt8]) throws(StreamError) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var start = 0
        while let end = chunk[start...].firstIndex(of: UInt8(ascii: "\n")) {
            try extend(with: chunk[start..<end])
            if !partial.isEmpty { lines.append(partial) }
            partial = []
            start = end + 1
        }
        try extend(with: chunk[start...])
        return lines
    }

    private mutating func extend(with piece: ArraySlice<UInt8>) throws(StreamError) {
        guard partial.count + piece.count <= Self.longestLineBytes else {
            throw StreamError("a line of the watch has more than \(Self.longestLineBytes) bytes")
        }
        partial += piece
    }
}
