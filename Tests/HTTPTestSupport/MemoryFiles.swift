package import Kubernetes
internal import Synchronization

/// Files in memory, which a test can change.
package final class MemoryFiles: Sendable {
    private let contents: Mutex<[String: [UInt8]]>

    package init(_ contents: [String: [UInt8]] = [:]) { self.contents = Mutex(contents) }

    package func set(_ path: String, _ bytes: [UInt8]?) { contents.withLock { contents in contents[path] = bytes } }

    package func set(_ path: String, _ text: String) { set(path, Array(text.utf8)) }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package var read: ServiceAccount.ReadFile {
        { [self] path, byteLimit in
            guard let bytes = contents.withLock({ contents in contents[path] }) else {
                throw Failure(description: "No such file or directory")
            }
            guard bytes.count <= byteLimit else { throw Failure(description: "File too large") }
            return bytes
        }
    }
}
