internal import CNIProtocol
internal import Redirect

/// A pod's template after injection.
struct InjectedPod {
    private let pod: WorkloadPod
    private let settings: MeshSettings
    private let capture: CaptureSettings
    private let containers: InjectedContainers
    private let isNative: Bool

    init(_ pod: WorkloadPod, _ settings: MeshSettings, _ user: ProxyUser) {
        self.pod = pod
        self.settings = settings
        capture = CaptureSettings(pod, settings)
        containers = InjectedContainers(pod, settings, capture, user)
        isNative = pod.annotations["sidecar.istio.io/nativeSidecar"].map { $0 == "true" } ?? settings.hasNativeSidecars
    }

    var template: JSONValue {
        var spec = pod.template["spec"] ?? .object([])
        let own = pod.containers("initContainers")
        let check = containers.initContainer
        let proxy = containers.proxy(isNative: isNative)
        let others = pod.containers("containers").filter { $0["name"]?.string != InjectedContainers.proxyName }
        var initContainers = own.filter { $0["name"]?.string != InjectedContainers.proxyName }
        if isNative {
            initContainers = [check, proxy].compactMap { $0 } + initContainers
        } else if settings.usesPlugin {
            // Validation comes before all others: nothing must run in a pod that is not redirected.
            initContainers = [check].compactMap { $0 } + initContainers
        } else {
            initContainers += [check].compactMap { $0 }
        }
        if !initContainers.isEmpty { spec = spec.setting("initContainers", .array(initContainers)) }
        let isFirst = settings.proxyConfig.holdsApplication
        let all = isNative ? others : isFirst ? [proxy] + others : others + [proxy]
        spec = spec.setting("containers", .array(all))
        return pod.template.setting("metadata", metadata).setting("spec", spec)
    }

    /// Asks the plugin's own policy, so that what it would refuse never gets that far.
    func check(_ place: String) throws(Injection.Failure) {
        let annotations = pod.annotations.merging(capture.annotations) { _, effective in effective }
        let proxy = Pod.Container(name: InjectedContainers.proxyName, arguments: ["proxy", "sidecar"])
        let asked = Pod(
            namespace: pod.namespace,
            name: pod.workload,
            annotations: annotations.merging([Annotation.status.name: "{}"]) { _, status in status },
            containers: [proxy]
        )
        do throws(PlanError) {
            _ = try Decision(pod: asked, addresses: ["10.0.0.1"], backend: .nftables)
        } catch {
            throw Injection.Failure(description: "\(place): \(error.description)")
        }
    }

    // MARK: - Metadata

    private var metadata: JSONValue {
        var metadata = pod.template["metadata"] ?? .object([])
        var annotations = metadata["annotations"] ?? .object([])
        for (name, value) in addedAnnotations { annotations = annotations.setting(name, .string(value)) }
        var labels = metadata["labels"] ?? .object([])
        for (name, value) in addedLabels where pod.labels[name] == nil { labels = labels.setting(name, .string(value)) }
        metadata = metadata.setting("annotations", annotations)
        return metadata.setting("labels", labels)
    }

    private var addedAnnotations: [(String, String)] {
        let name = pod.containers("containers").compactMap { $0["name"]?.string }
            .first { $0 != InjectedContainers.proxyName }
        var added: [(String, String)] = [
            ("istio.io/rev", settings.revision), ("prometheus.io/path", "/stats/prometheus"),
            ("prometheus.io/port", "15020"), ("prometheus.io/scrape", "true"), (Annotation.status.name, status),
        ]
        for key in ["kubectl.kubernetes.io/default-container", "kubectl.kubernetes.io/default-logs-container"] {
            if let name, pod.annotations[key] == nil { added.append((key, name)) }
        }
        guard settings.usesPlugin else { return added }
        added += capture.annotations.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        if settings.provider == "multus" { added.append((Self.networks, capture.networks)) }
        return added
    }

    static let networks = "k8s.v1.cni.cncf.io/networks"

    private var addedLabels: [(String, String)] {
        let labels = pod.labels
        let name = labels["app.kubernetes.io/name"] ?? labels["app"] ?? pod.workload
        let revision = labels["app.kubernetes.io/version"] ?? labels["version"] ?? "latest"
        let network = settings.network.isEmpty ? [] : [("topology.istio.io/network", settings.network)]
        return [
            ("security.istio.io/tlsMode", "istio"), ("service.istio.io/canonical-name", name),
            ("service.istio.io/canonical-revision", revision),
        ] + network
    }

    /// What was added, as the injector tells it.
    private var status: String {
        let check = containers.initContainer?["name"].map { [$0] } ?? []
        let proxy = [JSONValue.string(InjectedContainers.proxyName)]
        let initContainers = check + (isNative ? proxy : [])
        return JSONValue.object([
            JSONMember("initContainers", initContainers.isEmpty ? .null : .array(initContainers)),
            JSONMember("containers", isNative ? .null : .array(proxy)),
            JSONMember("volumes", .null), JSONMember("imagePullSecrets", .null),
            JSONMember("revision", .string(settings.revision)),
        ]).text()
    }
}
