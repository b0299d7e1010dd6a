internal import CNIProtocol

/// Where a person says that pods are: a file, standard input, or the cluster.
package enum PodSource: Sendable {
    /// `-` is standard input. With a name, `NAME` or `NAMESPACE/NAME`, only the pod that is called so.
    case file(String, pod: String? = nil)

    /// `NAMESPACE/POD`, or a name in the namespace `default`, asked of `kubectl`.
    case cluster(String, Kubectl)

    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Reads the pods, of which there is at least one.
    ///
    /// - Throws: What could not be read where, and why.
    package func read() throws(Failure) -> [FoundPod] {
        do {
            switch self {
            case .file(let path, let name):
                let pods = try FoundPod.all(in: ManifestFile.read(path), of: place)
                return try name.map { [try only($0, of: pods)] } ?? pods
            case .cluster(let name, let kubectl): return [try Self.pod(name, kubectl)]
            }
        } catch let failure as ManifestFile.Failure {
            throw Failure(description: failure.description)
        } catch {
            throw Failure(description: "\(place): \(error)")
        }
    }

    /// Reads the pod of a command that is about one: several are refused, since none of them may be meant.
    ///
    /// - Throws: As ``read()``, and how to choose one of several.
    package func readOne() throws(Failure) -> PodManifest {
        let pod = try one(of: try read())
        do throws(PodManifest.Failure) {
            return try PodManifest(json: pod.json)
        } catch {
            throw Failure(description: "\(pod.name): \(error)")
        }
    }

    /// The one pod of those that were read.
    package func one(of pods: [FoundPod]) throws(Failure) -> FoundPod {
        guard let pod = pods.first, pods.count == 1 else {
            throw Failure(
                description: "\(place) has \(pods.count) pods, and this takes one: name it after the file, as in "
                    + "\(pods.last?.name ?? "NAMESPACE/NAME"); they are \(Self.list(pods))"
            )
        }
        return pod
    }

    private func only(_ name: String, of pods: [FoundPod]) throws(Failure) -> FoundPod {
        let named = pods.filter { $0.name == name || $0.name.hasSuffix("/\(name)") }
        guard let pod = named.first else {
            throw Failure(description: "no pod \(name) among \(Self.list(pods))")
        }
        guard named.count == 1 else {
            throw Failure(
                description:
                    "\(named.count) pods are called \(name): \(Self.list(named)); name one with its namespace, "
                    + "or put it into a file of its own"
            )
        }
        return pod
    }

    private static func pod(_ name: String, _ kubectl: Kubectl) throws -> FoundPod {
        let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
        let namespace = parts.count == 2 ? parts[0] : "default"
        guard let pod = parts.last, !pod.isEmpty, !pod.hasPrefix("-") else {
            throw Failure(description: "a pod is NAMESPACE/NAME")
        }
        guard let found = try kubectl.object("pod", pod, namespace: namespace) else {
            throw Failure(description: "there is no such pod")
        }
        return FoundPod(json: found, place: "the pod")
    }

    /// At most so many names are written out.
    private static let listedNames = 10

    private static func list(_ pods: [FoundPod]) -> String {
        let names = pods.prefix(listedNames).map { $0.name }.joined(separator: ", ")
        return pods.count > listedNames ? "\(names) and \(pods.count - listedNames) more" : names
    }

    private var place: String {
        switch self {
        case .file(let path, _): NamedFile.name(of: path)
        case .cluster(let name, _): "pod \(name)"
        }
    }
}
