internal import CNIProtocol
internal import Redirect

/// Which of a pod's traffic is to be captured: its annotations over the mesh's settings.
struct CaptureSettings {
    let interceptionMode: String
    let includeIPRanges: String
    let excludeIPRanges: String
    let includeInboundPorts: String

    /// With the status port, which the sidecar answers itself.
    let excludeInboundPorts: String
    let includeOutboundPorts: String
    let excludeOutboundPorts: String
    let virtualInterfaces: String
    let excludeInterfaces: String
    let networks: String

    private let own: [String: String]

    init(_ pod: WorkloadPod, _ settings: MeshSettings) {
        let own = pod.annotations
        self.own = own
        func value(_ annotation: Annotation, _ mesh: String) -> String { own[annotation.name] ?? mesh }
        interceptionMode = value(.interceptionMode, settings.proxyConfig.interceptionMode)
        includeIPRanges = value(.includeOutboundIPRanges, settings.includeIPRanges)
        excludeIPRanges = value(.excludeOutboundIPRanges, settings.excludeIPRanges)
        includeInboundPorts = value(.includeInboundPorts, settings.includeInboundPorts)
        let statusPort = own["status.sidecar.istio.io/port"] ?? "\(settings.statusPort)"
        let excluded = value(.excludeInboundPorts, settings.excludeInboundPorts)
        excludeInboundPorts = [excluded, statusPort == "0" ? "" : statusPort].filter { !$0.isEmpty }.joined(
            separator: ","
        )
        includeOutboundPorts = value(.includeOutboundPorts, settings.includeOutboundPorts)
        excludeOutboundPorts = value(.excludeOutboundPorts, settings.excludeOutboundPorts)
        virtualInterfaces =
            own[Annotation.rerouteVirtualInterfaces.name] ?? own[Annotation.kubevirtInterfaces.name] ?? ""
        excludeInterfaces = own[Annotation.excludeInterfaces.name] ?? ""
        networks = Self.networks(own[InjectedPod.networks] ?? "")
    }

    /// The arguments of the container that checks or redirects.
    func arguments(user: Int, _ settings: MeshSettings) -> [String] {
        var arguments = [
            "istio-iptables", "-p", "\(settings.outboundPort)", "-z", "\(settings.inboundPort)", "-u", "\(user)",
            "-m", interceptionMode, "-i", includeIPRanges, "-x", excludeIPRanges, "-b", includeInboundPorts,
            "-d",
            (["15090", "15021"] + (excludeInboundPorts.isEmpty ? [] : [excludeInboundPorts])).joined(separator: ","),
        ]
        for (flag, value) in [
            ("-q", includeOutboundPorts), ("-o", excludeOutboundPorts), ("-k", virtualInterfaces),
            ("-c", excludeInterfaces),
        ] where !value.isEmpty {
            arguments += [flag, value]
        }
        arguments.append("--log_output_level=\(settings.logLevel)")
        if settings.logsAsJSON { arguments.append("--log_as_json") }
        if settings.usesPlugin { arguments += ["--run-validation", "--skip-rule-apply"] }
        if settings.wantsNFTables { arguments.append("--native-nftables") }
        return arguments
    }

    /// Those that the plugin reads; without it they are not written, since the arguments say the same.
    var annotations: [String: String] {
        var result = [
            Annotation.interceptionMode.name: interceptionMode,
            Annotation.includeInboundPorts.name: includeInboundPorts,
            Annotation.excludeInboundPorts.name: excludeInboundPorts,
        ]
        for (annotation, value) in [
            (Annotation.includeOutboundIPRanges, includeIPRanges), (.excludeOutboundIPRanges, excludeIPRanges),
            (.includeOutboundPorts, includeOutboundPorts), (.excludeOutboundPorts, excludeOutboundPorts),
            (.excludeInterfaces, excludeInterfaces),
        ] where !value.isEmpty || own[annotation.name] != nil {
            result[annotation.name] = value
        }
        return result
    }

    /// Multus' list of networks with ours at its end: names with commas, or JSON; what is broken stays as it is.
    private static func networks(_ text: String) -> String {
        let trimmed = text.drop { $0 == " " }
        guard trimmed.hasPrefix("[") else {
            let names = text.split(separator: ",").map { $0.drop { $0 == " " } }
            if names.contains("default/istio-cni") { return text }
            return text.isEmpty ? "default/istio-cni" : "\(text), default/istio-cni"
        }
        let parsed: JSONValue
        do throws(JSONError) {
            parsed = try JSONValue(parsing: Array(text.utf8))
        } catch {
            return text
        }
        guard let elements = parsed.array else { return text }
        let isThere = elements.contains {
            $0["name"]?.string == "istio-cni" && $0["namespace"]?.string == "default"
        }
        if isThere { return text }
        let ours = JSONValue.strings([("name", "istio-cni"), ("namespace", "default")])
        return JSONValue.array(elements + [ours]).text()
    }
}
