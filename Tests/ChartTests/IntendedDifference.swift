import CNIProtocol
import Foundation

/// One line of `charts/differences.json`: where this chart is not the official one, and why.
struct IntendedDifference {
    let object: String
    let path: String
    let from: JSONValue
    let to: JSONValue
    let reason: String

    /// The one recording that it is about; nil for all.
    let onlyCase: String?

    /// Another path of the object that must be there.
    let condition: String?

    static let file = RenderedChart.root.appending(path: "charts/differences.json")

    static func all() throws -> [IntendedDifference] {
        let document = try JSONValue(parsing: Array(Data(contentsOf: file)))
        return (document.array ?? []).map { line in
            IntendedDifference(
                object: line["object"]?.string ?? "",
                path: line["path"]?.string ?? "",
                from: line["from"] ?? .null,
                to: line["to"] ?? .null,
                reason: line["reason"]?.string ?? "",
                onlyCase: line["case"]?.string,
                condition: line["where"]?.string
            )
        }
    }

    /// Makes of the official object what this chart is to make; `rendered` is asked for a checksum only.
    ///
    /// - Returns: Whether this recording is one that the difference is about.
    @discardableResult
    func apply(
        to objects: inout [String: FlatObject],
        of recording: String,
        rendered: [String: FlatObject]
    ) -> Bool {
        guard onlyCase == nil || onlyCase == recording else { return false }
        var flat = objects[object] ?? FlatObject()
        // A user's own value, or an object that is not made, is no place for a difference.
        guard from.isNull ? !flat.has(path) : flat.leaves[path] == from else { return false }
        guard path.isEmpty || !flat.leaves.isEmpty else { return false }
        if let condition, !flat.has(condition) { return false }
        if to == .string("*") {
            guard let checksum = rendered[object]?.leaves[path], checksum.string?.count == 64 else {
                return false
            }
            flat.set(checksum, at: path)
        } else {
            flat.set(to, at: path)
        }
        objects[object] = flat
        return true
    }
}
