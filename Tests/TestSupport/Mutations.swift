import Foundation

/// How long tests with random input run.
package enum Fuzzing {
    /// Executions of each such test: `FUZZ_EXECUTIONS` (`make fuzz` asks for a million), else enough for a second.
    package static let executions =
        ProcessInfo.processInfo.environment["FUZZ_EXECUTIONS"].flatMap { text in Int(text) } ?? 20_000
}

/// Random numbers that are the same in each run with the same seed (SplitMix64, Steele et al., OOPSLA 2014).
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// An endless supply of damaged copies of good inputs, the same in each run with the same seed.
///
/// A copy has one to four changes: bytes flipped, replaced, removed, repeated or moved, the end cut off, a piece of another input,
/// or a word that means something to what is tested (`words`).
package struct Mutations {
    private let inputs: [[UInt8]]
    private let words: [[UInt8]]
    private var generator: SeededGenerator

    /// The longest input that is made, in bytes: most bugs show in short ones, and short ones are fast.
    private static let longestInput = 16 * 1_024

    /// - Parameters:
    ///   - inputs: good inputs; at least one, none of which needs to be long.
    ///   - words: what is inserted here and there, beside what every text format trips over.
    ///   - seed: the same seed makes the same inputs.
    package init(of inputs: [[UInt8]], words: [String] = [], seed: UInt64) {
        self.inputs = inputs.isEmpty ? [[]] : inputs
        self.words = (words + Self.commonWords).map { word in Array(word.utf8) } + Self.commonBytes
        generator = SeededGenerator(seed: seed)
    }

    private static let commonWords = [
        "", "null", "true", "-1", "0", "1e999", "18446744073709551616", "9223372036854775807", "\"", "\\", "\\u0000",
        "\\ud800", "{", "}", "[", "]", ",", ":", ";", "=", "/", ".", "..", "*", " ", "\n", "\r\n", "\u{2028}",
        "\u{212A}", "e\u{301}", "%s", "$(id)", "[[[[[[[[[[[[[[[[", "{\"a\":{\"a\":{\"a\":{\"a\":",
    ]

    private static let commonBytes: [[UInt8]] = [
        [0x00], [0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
    ]

    /// The next damaged input.
    package mutating func next() -> [UInt8] {
        var bytes = pick(inputs)
        for _ in 0..<Int.random(in: 1...4, using: &generator) { damage(&bytes) }
        return Array(bytes.prefix(Self.longestInput))
    }

    private mutating func pick(_ choices: [[UInt8]]) -> [UInt8] {
        choices.randomElement(using: &generator) ?? []
    }

    private mutating func range(in bytes: [UInt8]) -> Range<Int> {
        let start = Int.random(in: 0...bytes.count, using: &generator)
        let longest = min(bytes.count - start, Bool.random(using: &generator) ? 4 : 64)
        return start..<(start + Int.random(in: 0...longest, using: &generator))
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        let range = range(in: bytes)
        switch Int.random(in: 0..<9, using: &generator) {
        case 0:
            for index in range { bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator) }
        case 1:
            for index in range { bytes[index] = UInt8.random(in: 0...255, using: &generator) }
        case 2: bytes.removeSubrange(range)
        case 3: bytes.insert(contentsOf: bytes[range], at: range.lowerBound)
        case 4:
            let piece = Array(bytes[range])
            bytes.removeSubrange(range)
            bytes.insert(contentsOf: piece, at: Int.random(in: 0...bytes.count, using: &generator))
        case 5: bytes.replaceSubrange(range, with: pick(words))
        case 6: bytes.removeSubrange(range.lowerBound...)
        case 7: bytes.insert(contentsOf: pick(words), at: range.lowerBound)
        default:
            let other = pick(inputs)
            bytes.replaceSubrange(range, with: other[self.range(in: other)])
        }
    }
}
