internal import CNIProtocol

/// Where a person says that a pod is: a file, standard input, or the cluster.
package enum PodSource: Sendable {
    /// `-` is standard input.
    case file(String)

    /// `NAMESPACE/POD`, or a name in the namespace `default`, asked of `kubectl`.
    case cluster(String, Kubectl)

    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Reads the pod.
    ///
    /// - Throws: What could not be read where, and why.
    package func read() throws(Failure) -> PodManifest {
        do {
            switch self {
            case .file(let path): return try PodManifest(ManifestFile.read(path))
            case .cluster(let name, let kubectl):
                let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
                let namespace = parts.count == 2 ? parts[0] : "default"
                guard let pod = parts.last, !pod.isEmpty, !pod.hasPrefix("-") else {
                    throw Failure(description: "a pod is NAMESPACE/NAME")
                }
                guard let found = try kubectl.object("pod", pod, namespace: namespace) else {
                    throw Failure(description: "there is no such pod")
                }
                return try PodManifest(json: found)
            }
        } catch let failure as Failure {
            throw Failure(description: "\(place): \(failure)")
        } catch let failure as PodManifest.Failure {
            throw Failure(description: "\(place): \(failure)")
        } catch let failure as ManifestFile.Failure {
            throw Failure(description: failure.description)
        } catch {
            throw Failure(description: "\(place): \(error)")
        }
    }

    private var place: String {
        switch self {
        case .file(let path): path == "-" ? "standard input" : path
        case .cluster(let name, _): "pod \(name)"
        }
    }
}
