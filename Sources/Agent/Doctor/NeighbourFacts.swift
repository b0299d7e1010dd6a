internal import LinuxKernel

/// Other CNIs on the node, and those of their settings that are known to fight with ours.
struct NeighbourFacts: Equatable, Sendable {
    /// Types of the plugins that the runtime calls, ours left out.
    var types: [String] = []
    var cilium: Cilium?

    /// Files that Cilium put aside in its exclusive mode.
    var putAside: [String] = []

    struct Cilium: Equatable, Sendable {
        /// Its settings by key; empty where they cannot be read.
        var settings: [String: String] = [:]

        /// Where they are, for the text.
        var place = ""
    }
}

// MARK: - Looking

extension NeighbourFacts {
    init(_ places: DoctorPlaces, _ processes: NodeProcesses, _ configuration: ConfigurationFacts) {
        types = configuration.loaded?.types.filter { type in type != PluginEntry.type } ?? []
        putAside = configuration.names.filter { name in name.hasSuffix(".cilium_bak") }
        if let process = processes.named("cilium-agent").first {
            cilium = Cilium(process)
        } else if types.contains("cilium-cni") || !putAside.isEmpty {
            cilium = Cilium()
        }
    }
}

extension NeighbourFacts.Cilium {
    /// What matters here of the ConfigMap cilium-config, of which each key is a file in the agent's container.
    private static let keys = ["cni-exclusive", "bpf-lb-sock", "kube-proxy-replacement", "bpf-lb-sock-hostns-only"]

    init(_ process: NodeProcess) {
        place = process.values(of: "--config-dir").last ?? "/tmp/cilium/config-map"
        do throws(KernelError) {
            let tree = try FileTree(process.root)
            for key in Self.keys {
                guard let bytes = try tree.read("\(place)/\(key)", byteLimit: 4_096) else { continue }
                settings[key] = String(decoding: bytes.filter { byte in byte > 0x20 }, as: UTF8.self)
            }
        } catch {
            // Then the settings are said to be unseen.
            settings = [:]
        }
    }
}

// MARK: - What it means

package enum NeighbourFinding: String, FindingKind {
    case primary = "primary-cni"
    case exclusive = "cilium-exclusive"
    case socketBalancing = "cilium-socket-balancing"
    case ciliumUnseen = "cilium-settings-unseen"
    case multus = "multus-primary"
    case otherMesh = "other-mesh"

    package static var subject: String { "other CNIs" }

    package var entry: FindingEntry {
        switch self {
        case .primary: FindingEntry(.good, "The plugins that the runtime calls for a pod before ours.")
        case .exclusive:
            FindingEntry(
                .bad,
                "Cilium removes or renames what other CNIs write, so the entry comes and goes (cilium/cilium#30614).",
                "Set cni.exclusive=false in Cilium's chart."
            )
        case .socketBalancing:
            FindingEntry(
                .bad,
                "Cilium chooses a Service's pod at connect(), inside the pod: the sidecar sees the pod's address "
                    + "instead of the Service's, and applies no route or policy of that Service.",
                "Set socketLB.hostNamespaceOnly=true in Cilium's chart."
            )
        case .ciliumUnseen:
            FindingEntry(
                .doubtful,
                "Cilium is on this node and its settings cannot be seen from here.",
                "See that Cilium's chart has cni.exclusive=false and socketLB.hostNamespaceOnly=true."
            )
        case .multus:
            FindingEntry(
                .doubtful,
                "The runtime calls Multus, which can write its file anew and look for delegates in a directory of its "
                    + "own (istio/istio#57432, multus-cni#971).",
                "Set chained=false and provider=multus in the chart's values, as on OpenShift, or name the "
                    + "delegate's file in cniConfFileName."
            )
        case .otherMesh:
            FindingEntry(
                .bad,
                "The plugin of another mesh is in the chain too: both redirect the same connections.",
                "Uninstall one of the two from this node."
            )
        }
    }
}

extension NeighbourFacts {
    private static let names: [(type: String, name: String)] = [
        ("calico", "Calico"), ("cilium-cni", "Cilium"), ("flannel", "flannel"), ("aws-cni", "AWS VPC CNI"),
        ("azure-vnet", "Azure CNI"), ("ovn-k8s-cni-overlay", "OVN-Kubernetes"), ("multus", "Multus"),
        ("multus-shim", "Multus, thick"), ("antrea", "Antrea"), ("weave-net", "Weave Net"), ("ptp", "ptp"),
        ("bridge", "bridge"),
    ]

    private static let meshes: Set<String> = ["linkerd-cni", "kuma-cni", "consul-cni", "merbridge-cni", "osm-cni"]

    var findings: [DoctorReport.Finding] {
        var findings: [DoctorReport.Finding] = []
        if let first = types.first {
            let name = Self.names.first { known in known.type == first }?.name ?? "not one that is known here"
            findings.append(NeighbourFinding.primary.finding("\(name): \(types.joined(separator: ", "))"))
        }
        if types.first?.hasPrefix("multus") == true {
            findings.append(NeighbourFinding.multus.finding("the loaded file calls \(types[0])"))
        }
        for type in types where Self.meshes.contains(type) {
            findings.append(NeighbourFinding.otherMesh.finding("the loaded file calls \(type)"))
        }
        return findings + ciliumFindings
    }

    private var ciliumFindings: [DoctorReport.Finding] {
        guard let cilium else { return [] }
        var findings: [DoctorReport.Finding] = []
        if cilium.settings["cni-exclusive"] == "true" {
            let text = "cni-exclusive is true in \(cilium.place) of cilium-agent"
            findings.append(NeighbourFinding.exclusive.finding(text))
        } else if let first = putAside.first {
            // Whoever has changed the setting since can see it from here, or has no agent to ask.
            let isOver = cilium.settings["cni-exclusive"] == "false"
            let text = "\(putAside.count) files put aside, among them \(first)"
            findings.append(NeighbourFinding.exclusive.finding(text, verdict: isOver ? .doubtful : nil))
        }
        if cilium.balancesInPods {
            let text = "bpf-lb-sock-hostns-only is not true in \(cilium.place) of cilium-agent"
            findings.append(NeighbourFinding.socketBalancing.finding(text))
        }
        if cilium.settings.isEmpty {
            findings.append(NeighbourFinding.ciliumUnseen.finding("found by its plugin or files"))
        }
        return findings
    }
}

extension NeighbourFacts.Cilium {
    /// `strict` and `probe` are older values of the replacement, which brings socket load balancing with it.
    fileprivate var balancesInPods: Bool {
        let balances =
            settings["bpf-lb-sock"] == "true"
            || ["true", "strict", "probe"].contains(settings["kube-proxy-replacement"] ?? "")
        return balances && settings["bpf-lb-sock-hostns-only"] != "true"
    }
}
