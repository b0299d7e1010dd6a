package import CNIProtocol
internal import Foundation

/// A file of manifests, or standard input.
package enum ManifestFile {
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// The largest file that is read, in bytes.
    package static let byteLimit = 64 * 1_024 * 1_024

    /// Reads all documents; `-` is standard input.
    ///
    /// - Throws: What could not be read, with the file's name.
    package static func read(_ path: String) throws(Failure) -> [JSONValue] {
        let place = path == "-" ? "standard input" : path
        let text = try text(path, place)
        do throws(YAMLDocuments.Failure) {
            return try YAMLDocuments.read(text).filter { !$0.isNull }
        } catch {
            throw Failure(description: "\(place): \(error)")
        }
    }

    private static func text(_ path: String, _ place: String) throws(Failure) -> String {
        let data: Data
        do {
            let handle = path == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(filePath: path))
            data = try handle.read(upToCount: byteLimit + 1) ?? Data()
        } catch {
            throw Failure(description: "\(place) cannot be read: \(error.localizedDescription)")
        }
        guard data.count <= byteLimit else { throw Failure(description: "\(place) is longer than \(byteLimit) bytes") }
        return String(decoding: data, as: UTF8.self)
    }
}
