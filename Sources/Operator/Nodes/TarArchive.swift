/// A tar archive (POSIX.1-1988, ustar) of a few text files.
///
/// Own code: no package that this project may use writes archives, and the host need not have `tar`.
package enum TarArchive {
    /// - Parameters:
    ///   - files: Names of at most 100 bytes below `folder`, and what is in them.
    ///   - folder: In which everything is.
    ///   - seconds: The time of all files, since 1970.
    /// - Returns: The archive's bytes.
    package static func bytes(_ files: [(name: String, text: String)], folder: String, seconds: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for (name, text) in files {
            let content = Array(text.utf8)
            bytes += header("\(folder)/\(name)", content.count, seconds) + content
            bytes += Array(repeating: 0, count: (block - content.count % block) % block)
        }
        // Two empty blocks are the end.
        return bytes + Array(repeating: 0, count: 2 * block)
    }

    private static let block = 512

    private static func header(_ name: String, _ size: Int, _ seconds: Int) -> [UInt8] {
        var header: [UInt8] = field(name, 100) + octal(0o600, 8) + octal(0, 8) + octal(0, 8) + octal(size, 12)
        header += octal(seconds, 12) + Array("        ".utf8) + Array("0".utf8) + field("", 100)
        header += Array("ustar\0".utf8) + Array("00".utf8) + field("", 32) + field("", 32) + octal(0, 8) + octal(0, 8)
        header += field("", 155) + field("", 12)
        let sum = header.reduce(0) { sum, byte in sum + Int(byte) }
        header.replaceSubrange(148..<156, with: octal(sum, 7) + Array(" ".utf8))
        return header
    }

    private static func field(_ text: String, _ length: Int) -> [UInt8] {
        let bytes = Array(text.utf8.prefix(length))
        return bytes + Array(repeating: 0, count: length - bytes.count)
    }

    /// Digits with a zero byte behind them, as many as there is room for.
    private static func octal(_ number: Int, _ length: Int) -> [UInt8] {
        let digits = String(number, radix: 8)
        return Array((String(repeating: "0", count: max(0, length - 1 - digits.count)) + digits).utf8) + [0]
    }
}
