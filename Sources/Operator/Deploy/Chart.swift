internal import CNIProtocol
internal import Foundation

/// The agent's chart, in a folder.
package struct Chart: Sendable {
    package let folder: String

    /// The chart's `values.schema.json`.
    package let schema: ValueSchema

    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// - Parameters:
    ///   - folder: What the user names; nil to look for it.
    ///   - program: The running program's file: the chart is in `charts/istio-cni` beside it, or beside one of the folders
    ///     above it.
    /// - Throws: Where no chart is, and what to do.
    package init(_ folder: String?, program: String) throws(Failure) {
        if let folder { self.folder = folder } else { self.folder = try Self.find(from: program) }
        let file = "\(self.folder)/values.schema.json"
        let bytes: [UInt8]
        do throws(NamedFile.Failure) {
            bytes = try NamedFile.read(file, byteLimit: Self.schemaByteLimit)
        } catch {
            throw Failure(description: "\(self.folder) is not the chart of this agent: \(error)")
        }
        do throws(JSONError) {
            schema = ValueSchema(try JSONValue(parsing: bytes))
        } catch {
            throw Failure(description: "\(file): \(error)")
        }
    }

    private static let schemaByteLimit = 4 * 1_024 * 1_024

    private static func find(from program: String) throws(Failure) -> String {
        var folder = URL(filePath: program).resolvingSymlinksInPath().deletingLastPathComponent()
        for _ in 0..<levels {
            let chart = folder.appending(path: "charts/istio-cni").path(percentEncoded: false)
            if FileManager.default.fileExists(atPath: "\(chart)/Chart.yaml") { return chart }
            folder.deleteLastPathComponent()
        }
        throw Failure(
            description:
                "no charts/istio-cni beside \(program) or in a folder above it: name the chart's folder with --chart"
        )
    }

    /// `.build/x86_64-unknown-linux-gnu/debug/` and `usr/local/bin/` are four and three below the chart's place.
    private static let levels = 5
}
