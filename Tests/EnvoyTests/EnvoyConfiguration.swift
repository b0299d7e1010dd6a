/// The bootstrap of an Envoy that stands in for a sidecar, with what istiod gives one for traffic it knows nothing of.
struct EnvoyConfiguration {
    /// Whether the inbound listener takes connections to any address (`IP_TRANSPARENT`).
    let isTransparent: Bool

    /// As YAML, for `--config-yaml`.
    var text: String {
        """
        admin: {address: {socket_address: {address: 127.0.0.1, port_value: 15000}}}
        static_resources:
          listeners:
          - name: virtualOutbound
            traffic_direction: OUTBOUND
            transparent: false
        \(listening(on: 15_001))
            filter_chains:
            - filters: [\(connections("outbound", server: "envoy-outbound", to: "PassthroughCluster"))]
          - name: virtualInbound
            traffic_direction: INBOUND
            transparent: \(isTransparent)
        \(listening(on: 15_006))
            filter_chains:
        \(inboundChain("4", from: "0.0.0.0"))
        \(inboundChain("6", from: "::"))
          clusters:
          - {\(Self.originalDestination("PassthroughCluster"))}
        \(inboundCluster("4", source: "127.0.0.6"))
        \(inboundCluster("6", source: "::6"))

        """
    }

    private func listening(on port: Int) -> String {
        """
            address: {socket_address: {address: 0.0.0.0, port_value: \(port)}}
            additional_addresses: [{address: {socket_address: {address: "::", port_value: \(port)}}}]
            listener_filters:
            - name: envoy.filters.listener.original_dst
              typed_config: {\(Self.type("listener.original_dst.v3.OriginalDst"))}
        """
    }

    /// A chain and a counter for each family: a listener with two addresses counts both under the first.
    private func inboundChain(_ family: String, from address: String) -> String {
        let cluster = "InboundPassthroughClusterIpv\(family)"
        return """
                - filter_chain_match: {prefix_ranges: [{address_prefix: "\(address)", prefix_len: 0}]}
                  filters: [\(connections("inbound\(family)", server: "envoy-inbound", to: cluster))]
            """
    }

    /// The application must see an address that the rules let pass: with the client's own, the proxy's connection
    /// would come back to the proxy.
    private func inboundCluster(_ family: String, source: String) -> String {
        let source = #"upstream_bind_config: {source_address: {address: "\#(source)", port_value: 0}}"#
        return "  - {\(Self.originalDestination("InboundPassthroughClusterIpv\(family)")), \(source)}"
    }

    private func connections(_ counters: String, server: String, to cluster: String) -> String {
        let type = "network.http_connection_manager.v3.HttpConnectionManager"
        let route = #"{match: {prefix: /}, route: {cluster: \#(cluster)}}"#
        let router = "{name: envoy.filters.http.router, typed_config: {\(Self.type("http.router.v3.Router"))}}"
        return "{name: envoy.filters.network.http_connection_manager, typed_config: {\(Self.type(type)), "
            + "stat_prefix: \(counters), server_name: \(server), http_filters: [\(router)], "
            + #"route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [\#(route)]}]}}}"#
    }

    private static func originalDestination(_ name: String) -> String {
        "name: \(name), type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED, connect_timeout: 5s"
    }

    private static func type(_ name: String) -> String {
        #""@type": type.googleapis.com/envoy.extensions.filters.\#(name)"#
    }
}
