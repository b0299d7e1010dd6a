/// Why some bytes are not the JSON that was expected.
package struct JSONError: Error, Equatable, Sendable {
    /// Where, in bytes from the start.
    package let offset: Int

    /// What should have been there, as the end of a sentence: `a digit`.
    package let expected: String

    package init(offset: Int, expected: String) {
        self.offset = offset
        self.expected = expected
    }

    package var description: String { "at byte \(offset): expected \(expected)" }
}

/// How much a reader takes before it refuses.
package struct JSONLimits: Equatable, Sendable {
    /// The longest document, in bytes: etcd takes no request over 1.5 MiB, and escapes make it longer.
    package var bytes = 4 * 1_024 * 1_024

    /// The deepest nesting, in arrays and objects; each level costs the reader a stack frame.
    package var depth = 64

    /// The most values in all, which is what bounds memory: a large pod has some thousands.
    package var values = 200_000

    package init() {}
}
