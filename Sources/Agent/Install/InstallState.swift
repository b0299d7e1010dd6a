internal import Synchronization

/// Whether the plugin is on the node and in the runtime's configuration, for readiness and for `/v1/status`.
package final class InstallState: Sendable {
    package struct Report: Equatable, Sendable {
        /// Why not ready; empty means ready.
        package var reasons: [String]

        /// What works, and will not keep pods redirected.
        package var warnings: [String] = []

        /// The file that holds our entry.
        package var file: String?

        /// How often a configuration was put right after the first time.
        package var rewrites = 0

        /// How many attempts have failed since the last that did not.
        package var failures = 0

        /// How often the plugin became installed.
        package var installs = 0

        /// What this agent has written; nil where it does not install.
        package var writes: ConfigurationWrites?

        package var isReady: Bool { reasons.isEmpty }
    }

    private let current = Mutex(Report(reasons: ["the plugin has not been installed yet"]))

    package init() {}

    package var report: Report { current.withLock { report in report } }

    func change(_ body: (inout Report) -> Void) { current.withLock { report in body(&report) } }
}
