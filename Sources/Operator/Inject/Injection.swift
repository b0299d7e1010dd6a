package import CNIProtocol
internal import Redirect

/// What Istio's injector does to manifests, as far as redirection depends on it (spec install.md, section 4).
///
/// Not a substitute for istiod: the proxy container is only as much as plugin and validation look at.
package struct Injection: Sendable {
    package var settings: MeshSettings

    /// Whose workloads name no namespace.
    package var namespace = "default"

    /// Annotations of namespaces, by name; Namespace documents add to them.
    ///
    /// OpenShift keeps ranges of ids there.
    package var namespaceAnnotations: [String: [String: String]] = [:]

    package init(settings: MeshSettings) { self.settings = settings }

    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// What became of the documents.
    package struct Outcome: Sendable {
        package var documents: [JSONValue] = []

        /// A line for each workload that was left as it is, and why.
        package var notes: [String] = []
    }

    /// Injects into every workload; all other documents pass as they are.
    ///
    /// - Throws: What the injector would refuse, under the workload's name.
    package func inject(_ documents: [JSONValue]) throws(Failure) -> Outcome {
        var injection = self
        for document in documents where document["kind"]?.string == "Namespace" {
            guard let name = document["metadata"]?["name"]?.string else { continue }
            let annotations = document["metadata"]?["annotations"]?.stringsByName ?? [:]
            injection.namespaceAnnotations[name, default: [:]].merge(annotations) { _, new in new }
        }
        var outcome = Outcome()
        for document in documents { outcome.documents.append(try injection.inject(document, &outcome.notes)) }
        return outcome
    }

    private func inject(_ document: JSONValue, _ notes: inout [String]) throws(Failure) -> JSONValue {
        let kind = document["kind"]?.string ?? ""
        if kind == "List", let items = document["items"]?.array {
            var injected: [JSONValue] = []
            for item in items { injected.append(try inject(item, &notes)) }
            return document.setting("items", .array(injected))
        }
        let path = kind == "Pod" ? [] : JSONValue.templatePaths[kind]
        guard let path, let template = document[path: path] else { return document }
        let name = document["metadata"]?["name"]?.string ?? document["metadata"]?["generateName"]?.string ?? "?"
        let namespace = document["metadata"]?["namespace"]?.string ?? namespace
        let place = "\(kind) \(namespace)/\(name)"
        let pod = WorkloadPod(template: template, workload: name, namespace: namespace)
        if let reason = pod.reasonToSkip {
            notes.append("\(place): left as it is: \(reason)")
            return document
        }
        let made = try injected(pod, place)
        return document.setting(path: path[...], made)
    }

    private func injected(_ pod: WorkloadPod, _ place: String) throws(Failure) -> JSONValue {
        var settings = settings
        if let text = pod.annotations["proxy.istio.io/config"] {
            do throws(YAMLDocuments.Failure) {
                settings.proxyConfig.take(try YAMLDocuments.read(text).first ?? .null)
            } catch {
                throw Failure(description: "\(place): annotation proxy.istio.io/config: \(error)")
            }
        }
        let user: ProxyUser
        do throws(Failure) {
            user = try proxyUser(in: pod.namespace)
        } catch {
            throw Failure(description: "\(place): \(error)")
        }
        let made = InjectedPod(pod, settings, user)
        try made.check(place)
        return made.template
    }

    private func proxyUser(in namespace: String) throws(Failure) -> ProxyUser {
        guard settings.platform == "openshift" else { return ProxyUser() }
        let annotations = namespaceAnnotations[namespace] ?? [:]
        guard let range = annotations["openshift.io/sa.scc.uid-range"] else {
            throw Failure(
                description: "namespace \(namespace): the annotation openshift.io/sa.scc.uid-range is not known: "
                    + "put the Namespace among the files, or give --uid-range"
            )
        }
        guard let user = ProxyUser(userRange: range, groupRange: annotations["openshift.io/sa.scc.supplemental-groups"])
        else {
            throw Failure(description: "namespace \(namespace): \(range) is no range of ids (START/SIZE)")
        }
        return user
    }
}

/// A pod, or the template of one.
struct WorkloadPod {
    let template: JSONValue
    let workload: String
    let namespace: String

    var annotations: [String: String] { template["metadata"]?["annotations"]?.stringsByName ?? [:] }
    var labels: [String: String] { template["metadata"]?["labels"]?.stringsByName ?? [:] }

    func containers(_ list: String) -> [JSONValue] { template["spec"]?[list]?.array ?? [] }

    /// Namespaces that no webhook is asked about.
    private static let systemNamespaces: Set<String> = [
        "kube-system", "kube-public", "kube-node-lease", "local-path-storage",
    ]

    /// Why the injector leaves it alone; nil where it does not.
    var reasonToSkip: String? {
        if template["spec"]?["hostNetwork"]?.bool == true { return "it is on the host's network" }
        if Self.systemNamespaces.contains(namespace) { return "the namespace \(namespace) is never injected" }
        // The label wins, and only these exact words count.
        if (labels["sidecar.istio.io/inject"] ?? annotations["sidecar.istio.io/inject"]) == "false" {
            return "sidecar.istio.io/inject is \"false\""
        }
        if annotations[Annotation.status.name] != nil { return "it has been injected already" }
        return nil
    }
}
