import Redirect
import Testing

@testable import Operator

/// What is said about traffic that rules and plan alone would promise too much of.
@Suite struct CaptureEvasionTests {
    @Test(arguments: ["gvisor", "kata-qemu", "my-runsc", "Firecracker"])
    func `a runtime with a network stack of its own is warned about by its class`(runtime: String) throws {
        let pod = try Self.explained("runtimeClassName: \(runtime), ")

        #expect(pod.plan != nil)
        #expect(pod.warnings.count == 1)
        #expect(pod.warnings.first?.contains("runtime class \(runtime)") == true, "\(pod.warnings)")
    }

    @Test(
        arguments: [
            ("", "securityContext: {runAsUser: 1234}", "container app runs as user 1234, as the proxy does"),
            ("", "securityContext: {runAsGroup: 5678}", "container app runs as group 5678, as the proxy does"),
            (
                "securityContext: {runAsUser: 1234, runAsGroup: 5678}, ", "",
                "container app runs as user 1234 and group 5678"
            ),
            (
                "initContainers: [{name: migrate, securityContext: {runAsUser: 1234}}], ", "",
                "init container migrate runs as user 1234, as the proxy does: what it sends goes past the sidecar, which"
            ),
            (
                "initContainers: [{name: log, restartPolicy: Always, securityContext: {runAsUser: 1234}}], ", "",
                "init container log runs as user 1234, as the proxy does: what it sends goes past the sidecar"
            ),
            (
                "ephemeralContainers: [{name: debug, securityContext: {runAsUser: 1234}}], ", "",
                "ephemeral container debug runs as user 1234"
            ),
        ]
    )
    func `a container with the proxy's user or group is named`(
        spec: String,
        application: String,
        warning: String
    ) throws {
        let pod = try Self.explained(spec, application: application)

        #expect(pod.warnings.count == 1)
        #expect(pod.warnings.first?.hasPrefix(warning) == true, "\(pod.warnings)")
    }

    @Test(
        arguments: [
            ("", ""), ("runtimeClassName: runc, ", ""), ("", "securityContext: {runAsUser: 1337, runAsGroup: 1337}"),
            (
                "securityContext: {runAsUser: 1234, runAsGroup: 5678}, ",
                "securityContext: {runAsUser: 1, runAsGroup: 2}"
            ),
            ("initContainers: [{name: istio-validation, securityContext: {runAsUser: 1234}}], ", ""),
        ]
    )
    func `others are not warned about`(spec: String, application: String) throws {
        #expect(try Self.explained(spec, application: application).warnings.isEmpty)
    }

    @Test func `nothing is warned about in a pod that is not redirected`() throws {
        let pod = try Self.explained("runtimeClassName: kata, hostNetwork: true, ")

        #expect(pod.warnings.isEmpty)
    }

    /// The proxy is user 1234 and group 5678.
    private static func explained(_ spec: String, application: String = "") throws -> ExplainedPod {
        let container = application.isEmpty ? "name: app" : "name: app, \(application)"
        return try ExplainedPod(
            PodManifest(
                """
                kind: Pod
                metadata: {name: a, namespace: b, annotations: {sidecar.istio.io/status: '{}'}}
                spec:
                  {\(spec)containers: [{\(container)}, {name: istio-proxy, args: [proxy, sidecar],
                  securityContext: {runAsUser: 1234, runAsGroup: 5678}}]}
                """
            )
        )
    }
}
