/// Why a stream of bytes is not what an API server sends.
package struct StreamError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
