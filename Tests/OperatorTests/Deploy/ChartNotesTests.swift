import Conformance
import HTTPTestSupport
import Testing

@testable import Operator

/// What Helm prints after an installation: the chart's `NOTES.txt`.
@Suite struct ChartNotesTests {
    @Test(
        .tags(.s24),
        arguments: [
            ("platform=", "-n istio-system --reset-then-reuse-values --set pilot.cni.enabled=true"),
            (
                "platform=openshift",
                "-n istio-system --reset-then-reuse-values --set pilot.cni.enabled=true --set global.platform=openshift"
            ),
            (
                "provider=multus,global.istioNamespace=mesh",
                "-n mesh --reset-then-reuse-values --set pilot.cni.enabled=true --set pilot.cni.provider=multus"
            ),
        ]
    )
    func `istiod's command has the chart's platform, or Multus alone`(values: String, arguments: String) async throws {
        let chart = try TestDocument.chart().folder
        try await DeployCluster.run { cluster in
            let ended = try await cluster.helm(
                ["upgrade", "--install", "istio-cni", chart, "-n", "default"]
                    + ["--set", "hub=r.example/x", "--set", values]
            )

            #expect(ended.status == 0, "\(ended.error)")
            let lines = ended.output.split(separator: "\n").filter { $0.contains("istio/istiod") }
            #expect(lines == ["     helm upgrade istiod istio/istiod \(arguments)"])
        }
    }
}
