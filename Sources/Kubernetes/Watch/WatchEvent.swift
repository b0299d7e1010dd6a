package import CNIProtocol

/// One line of a watch.
package enum WatchEvent: Equatable, Sendable {
    /// An object is new (`ADDED`) or different (`MODIFIED`).
    case changed(JSONValue, ResourceVersion)

    case deleted(JSONValue, ResourceVersion)

    /// Nothing else has happened up to this version.
    case bookmark(ResourceVersion)

    /// The server ends the watch, and says why.
    case error(APIStatus)

    /// A type that this version does not know; the watch goes on.
    case unknown(String)

    package init(line: [UInt8]) throws(StreamError) {
        let event: JSONValue
        do throws(JSONError) {
            event = try JSONValue(parsing: line)
        } catch {
            throw StreamError("a line of the watch is no JSON: \(error.description)")
        }
        guard let type = event["type"]?.string, let object = event["object"] else {
            throw StreamError("a line of the watch has no type or no object")
        }
        switch type {
        case "ADDED", "MODIFIED": self = .changed(object, try Self.version(of: object))
        case "DELETED": self = .deleted(object, try Self.version(of: object))
        case "BOOKMARK": self = .bookmark(try Self.version(of: object))
        case "ERROR": self = .error(APIStatus(object))
        default: self = .unknown(type)
        }
    }

    private static func version(of object: JSONValue) throws(StreamError) -> ResourceVersion {
        guard let version = object["metadata"]?["resourceVersion"]?.string, !version.isEmpty else {
            throw StreamError("metadata.resourceVersion of a watched object is missing")
        }
        return ResourceVersion(version)
    }
}
