/// The scopes of upstream's log, each the label of a logger.
package enum LogScope {
    package static let agent = "cni-agent"
    package static let plugin = "cni-plugin"
}
