/// A real Envoy in place of the stand-in.
enum Envoy {
    static let outboundName = "envoy-outbound"
    static let inboundName = "envoy-inbound"
}
