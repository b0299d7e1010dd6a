package import Redirect

/// The bootstrap of an Envoy that is a pod's sidecar, with what istiod gives one for traffic it knows nothing of.
package struct EnvoyConfiguration: Sendable {
    private let ports: RedirectPlan.ProxyPorts

    /// Whether the inbound listener takes connections to any address (`IP_TRANSPARENT`).
    private let isTransparent: Bool

    /// Whether the listeners have an address of IPv6 as well.
    private let hasIPv6: Bool

    /// - Parameters:
    ///   - plan: Where the proxy is to listen, and how it gets its connections.
    ///   - hasIPv6: Whether the pod has IPv6, without which a socket of it cannot be opened.
    package init(_ plan: RedirectPlan, hasIPv6: Bool = true) {
        ports = plan.ports
        isTransparent = plan.interceptionMode == .transparentProxy
        self.hasIPv6 = hasIPv6
    }

    /// Of the administration interface, on 127.0.0.1, as in a pod of the mesh.
    package static let administrationPort: UInt16 = 15_000

    /// In a response that has come through Envoy, this says where the connection landed.
    ///
    /// `sidecar 15001 203.0.113.10:80`; the address is what the kernel has told Envoy.
    package static let landingHeader = "landing"

    /// The directions that Envoy counts separately; a listener with two addresses counts both under the first.
    package enum Direction: String, CaseIterable, Sendable {
        case outbound
        case inboundIPv4 = "inbound4"
        case inboundIPv6 = "inbound6"

        /// What the header `server` of its responses says.
        package var server: String { self == .outbound ? "envoy-outbound" : "envoy-inbound" }

        var cluster: String {
            switch self {
            case .outbound: "PassthroughCluster"
            case .inboundIPv4: "InboundPassthroughClusterIpv4"
            case .inboundIPv6: "InboundPassthroughClusterIpv6"
            }
        }

        /// Connections that were taken.
        package var takenCounter: String { "http.\(rawValue).downstream_cx_total" }

        /// Connections that were made to where the taken ones were going.
        package var passedOnCounter: String { "cluster.\(cluster).upstream_cx_total" }
    }

    /// As YAML, for `--config-yaml`.
    package var text: String {
        """
        admin: {address: {socket_address: {address: 127.0.0.1, port_value: \(Self.administrationPort)}}}
        static_resources:
          listeners:
          - name: virtualOutbound
            traffic_direction: OUTBOUND
            transparent: false
        \(listening(on: ports.outbound))
            filter_chains:
            - filters: [\(connections(.outbound, ports.outbound))]
          - name: virtualInbound
            traffic_direction: INBOUND
            transparent: \(isTransparent)
        \(listening(on: ports.inbound))
            filter_chains:
        \(inboundChain(.inboundIPv4, from: "0.0.0.0"))
        \(inboundChain(.inboundIPv6, from: "::"))
          clusters:
          - {\(originalDestination(.outbound))}
        \(inboundCluster(.inboundIPv4, source: .passthroughIPv4))
        \(inboundCluster(.inboundIPv6, source: .passthroughIPv6))

        """
    }

    private func listening(on port: UInt16) -> String {
        let additional = #"[{address: {socket_address: {address: "::", port_value: \#(port)}}}]"#
        return """
                address: {socket_address: {address: 0.0.0.0, port_value: \(port)}}
                additional_addresses: \(hasIPv6 ? additional : "[]")
                listener_filters:
                - name: envoy.filters.listener.original_dst
                  typed_config: {\(Self.type("listener.original_dst.v3.OriginalDst"))}
            """
    }

    private func inboundChain(_ direction: Direction, from address: String) -> String {
        """
            - filter_chain_match: {prefix_ranges: [{address_prefix: "\(address)", prefix_len: 0}]}
              filters: [\(connections(direction, ports.inbound))]
        """
    }

    /// The application must see an address that the rules let pass: with the client's own, the proxy's connection
    /// would come back to the proxy.
    private func inboundCluster(_ direction: Direction, source: AddressRange) -> String {
        let address = source.address.description
        let source = #"upstream_bind_config: {source_address: {address: "\#(address)", port_value: 0}}"#
        return "  - {\(originalDestination(direction)), \(source)}"
    }

    private func connections(_ direction: Direction, _ port: UInt16) -> String {
        let type = "network.http_connection_manager.v3.HttpConnectionManager"
        let route = "{match: {prefix: /}, route: {cluster: \(direction.cluster)}}"
        let router = "{name: envoy.filters.http.router, typed_config: {\(Self.type("http.router.v3.Router"))}}"
        let landing = #"{key: \#(Self.landingHeader), value: "sidecar \#(port) %DOWNSTREAM_LOCAL_ADDRESS%"}"#
        return "{name: envoy.filters.network.http_connection_manager, typed_config: {\(Self.type(type)), "
            + "stat_prefix: \(direction.rawValue), server_name: \(direction.server), http_filters: [\(router)], "
            + "route_config: {response_headers_to_add: [{header: \(landing)}], "
            + #"virtual_hosts: [{name: all, domains: ["*"], routes: [\#(route)]}]}}}"#
    }

    private func originalDestination(_ direction: Direction) -> String {
        "name: \(direction.cluster), type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED, connect_timeout: 5s"
    }

    private static func type(_ name: String) -> String {
        #""@type": type.googleapis.com/envoy.extensions.filters.\#(name)"#
    }
}
