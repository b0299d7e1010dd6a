package import CNIProtocol

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
        let bytes: [UInt8]
        do throws(NamedFile.Failure) {
            bytes = try NamedFile.read(path, byteLimit: byteLimit)
        } catch {
            throw Failure(description: error.description)
        }
        do throws(YAMLDocuments.Failure) {
            return try YAMLDocuments.read(String(decoding: bytes, as: UTF8.self)).filter { !$0.isNull }
        } catch {
            throw Failure(description: "\(NamedFile.name(of: path)): \(error)")
        }
    }
}
