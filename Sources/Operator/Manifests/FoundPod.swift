package import CNIProtocol

/// A pod among documents, before anything in it is looked at.
package struct FoundPod: Equatable, Sendable {
    package let json: JSONValue

    /// `NAMESPACE/NAME`, or its place where it has no name.
    package let name: String

    package init(json: JSONValue, place: String) {
        self.json = json
        let metadata = json["metadata"] ?? .null
        let namespace = metadata["namespace"]?.string ?? "default"
        name = metadata["name"]?.string.map { "\(namespace)/\($0)" } ?? place
    }

    /// The pods of documents, in order: pods, those that workloads make, and both in lists.
    ///
    /// - Parameters:
    ///   - documents: As they were read.
    ///   - place: From where: a file's name.
    /// - Returns: One at least.
    /// - Throws: What was found where there is none.
    package static func all(in documents: [JSONValue], of place: String) throws(PodManifest.Failure) -> [FoundPod] {
        let pods = documents.flatMap { Self.pods(of: $0) }
        guard pods.isEmpty else {
            return pods.enumerated().map { FoundPod(json: $1, place: "pod \($0 + 1) of \(place)") }
        }
        let kinds = documents.map { $0["kind"]?.string ?? "a document without kind" }
        let found = kinds.isEmpty ? "nothing" : kinds.joined(separator: ", ")
        throw PodManifest.Failure(
            description: "no document of kind Pod, and none that makes pods; found: \(found)"
        )
    }

    private static func pods(of document: JSONValue) -> [JSONValue] {
        switch document["kind"]?.string {
        case "Pod": [document]
        // What `kubectl get --output yaml` prints.
        case "List": (document["items"]?.array ?? []).flatMap { pods(of: $0) }
        default: document.podOfTemplate.map { [$0] } ?? []
        }
    }
}
