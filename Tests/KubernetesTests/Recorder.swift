import Synchronization

/// What closures were given, in order.
final class Recorder<Element: Sendable>: Sendable {
    private let elements = Mutex([Element]())

    func add(_ element: Element) { elements.withLock { elements in elements.append(element) } }

    var all: [Element] { elements.withLock { elements in elements } }
}
