/// The server's name for one moment of its store.
///
/// It is opaque: two can be compared for equality and nothing else.
package struct ResourceVersion: Hashable, Sendable, ExpressibleByStringLiteral {
    package let rawValue: String

    package init(_ rawValue: String) { self.rawValue = rawValue }

    package init(stringLiteral value: String) { rawValue = value }
}
