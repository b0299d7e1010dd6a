import Foundation
package import Testing

/// The real Envoy that tests use.
package enum EnvoyProgram {
    /// `ENVOY` names it, else it is where `scripts/install-envoy` puts it.
    package static let path =
        ProcessInfo.processInfo.environment["ENVOY"]
        ?? URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../.build-envoy/envoy")
        .standardized.path(percentEncoded: false)
}

extension Trait where Self == ConditionTrait {
    /// Skips the test where there is no Envoy.
    ///
    /// Under `CI` it runs all the same, and fails.
    package static var requiresEnvoy: Self {
        .enabled(
            if: ProcessInfo.processInfo.environment["CI"] != nil
                || FileManager.default.isExecutableFile(atPath: EnvoyProgram.path),
            "a real Envoy is needed, which scripts/install-envoy gets"
        )
    }
}
