package import CNIProtocol

/// What a control plane's values and mesh configuration say about pods, as far as their redirection depends on it.
package struct MeshSettings: Equatable, Sendable {
    package var usesPlugin = true
    package var provider = "default"
    package var revision = "default"
    package var network = ""
    package var platform = ""
    package var image = "registry.istio.io/testing/proxyv2:latest"
    package var includeIPRanges = "*"
    package var excludeIPRanges = ""
    package var includeInboundPorts = "*"
    package var excludeInboundPorts = ""
    package var includeOutboundPorts = ""
    package var excludeOutboundPorts = ""

    /// 0: none.
    package var statusPort = 15_020
    package var outboundPort = 15_001
    package var inboundPort = 15_006
    package var logLevel = "default:info"
    package var logsAsJSON = false
    package var wantsNFTables = false
    package var isPrivileged = false
    package var seccompProfile: JSONValue?
    package var hasNativeSidecars = true
    package var proxyConfig = ProxyConfig()

    /// The part of `meshConfig.defaultConfig` and of the annotation `proxy.istio.io/config` that counts.
    package struct ProxyConfig: Equatable, Sendable {
        package var interceptionMode = "REDIRECT"
        package var metadata: [(name: String, value: String)] = []
        package var holdsApplication = false

        package init() {}

        package static func == (one: ProxyConfig, two: ProxyConfig) -> Bool {
            one.interceptionMode == two.interceptionMode && one.holdsApplication == two.holdsApplication
                && one.metadata.map { $0.name + "=" + $0.value } == two.metadata.map { $0.name + "=" + $0.value }
        }

        /// Puts what `value` says over what is there; proxy metadata merges.
        mutating func take(_ value: JSONValue) {
            if let mode = value["interceptionMode"]?.string { interceptionMode = mode }
            if let holds = value["holdApplicationUntilProxyStarts"]?.bool { holdsApplication = holds }
            for member in value["proxyMetadata"]?.members ?? [] {
                metadata.removeAll { $0.name == member.name }
                metadata.append((member.name, member.value.string ?? member.value.text()))
            }
        }
    }

    package init() {}

    /// - Parameter values: Those of Istio's charts, or of an IstioOperator document: `pilot`, `global`, `meshConfig`, `revision`.
    package init(values: JSONValue) {
        let global = values["global"] ?? .null
        let proxy = global["proxy"] ?? .null
        usesPlugin = values["pilot"]?["cni"]?["enabled"]?.bool ?? values["cni"]?["enabled"]?.bool ?? usesPlugin
        provider = values["pilot"]?["cni"]?["provider"]?.string ?? values["cni"]?["provider"]?.string ?? provider
        revision = Self.text(values["revision"]) ?? revision
        network = Self.text(global["network"]) ?? ""
        platform = Self.text(global["platform"]) ?? Self.text(values["platform"]) ?? ""
        let image = proxy["image"]?.string ?? "proxyv2"
        let hub = Self.text(global["hub"]) ?? "registry.istio.io/testing"
        let variant = Self.text(global["variant"]).map { "-\($0)" } ?? ""
        self.image = image.contains("/") ? image : "\(hub)/\(image):\(Self.text(global["tag"]) ?? "latest")\(variant)"
        includeIPRanges = proxy["includeIPRanges"]?.string ?? includeIPRanges
        excludeIPRanges = proxy["excludeIPRanges"]?.string ?? excludeIPRanges
        includeInboundPorts = Self.text(proxy["includeInboundPorts"]) ?? includeInboundPorts
        excludeInboundPorts = Self.text(proxy["excludeInboundPorts"]) ?? excludeInboundPorts
        includeOutboundPorts = Self.text(proxy["includeOutboundPorts"]) ?? includeOutboundPorts
        excludeOutboundPorts = Self.text(proxy["excludeOutboundPorts"]) ?? excludeOutboundPorts
        statusPort = proxy["statusPort"]?.integer ?? statusPort
        logLevel = Self.text(global["logging"]?["level"]) ?? logLevel
        logsAsJSON = global["logAsJson"]?.bool ?? false
        wantsNFTables = global["nativeNftables"]?.bool ?? false
        isPrivileged = proxy["privileged"]?.bool ?? false
        seccompProfile = proxy["seccompProfile"].flatMap { $0.members?.isEmpty == false ? $0 : nil }
        let mesh = values["meshConfig"] ?? .null
        outboundPort = mesh["proxyListenPort"]?.integer ?? outboundPort
        inboundPort = mesh["proxyInboundListenPort"]?.integer ?? inboundPort
        proxyConfig.take(mesh["defaultConfig"] ?? .null)
    }

    /// A text, or a number as it is written; nil for an empty one.
    private static func text(_ value: JSONValue?) -> String? {
        switch value {
        case .string(let text): text.isEmpty ? nil : text
        case .number(let text): text
        default: nil
        }
    }
}
