import CNIProtocol
import Conformance
import Foundation
import TestSupport
import Testing

@testable import Operator

/// Acceptance: a document makes the objects that values written by hand make.
@Suite struct RenderedDocumentTests {
    private static let all = "components: {cni: {enabled: true}}\nhub: r.example/x\n"

    /// The guide's documents, and their values.
    static let guide = [
        ("examples/operator/istio-cni.yaml", "{hub: r.example/x}"),
        (
            "examples/operator/istio-cni-only.yaml",
            "{hub: r.example/x, excludeNamespaces: [istio-system, kube-system]}"
        ),
    ]

    @Test(.tags(.s16, .s27), arguments: guide)
    func `the guide's documents make what their values make through Helm`(file: String, values: String) async throws {
        let text = try String(contentsOf: TestDocument.root.appending(path: file), encoding: .utf8)
        let document = try TestDocument.read(texts: [text], settings: ["hub=r.example/x"])

        try await Self.expectSame(ReleasePlan(document), values)
    }

    @Test(
        .tags(.s20, .s22, .s31),
        arguments: [
            ("tag: '1.30'\nrevision: canary", "{hub: r.example/x, tag: '1.30', revision: canary}"),
            (
                "values: {cni: {chained: false, cniConfFileName: a.conf}}",
                "{hub: r.example/x, chained: false, cniConfFileName: a.conf}"
            ),
            ("values: {global: {platform: openshift}}", "{hub: r.example/x, platform: openshift}"),
            (
                "values: {global: {platform: k3s}, cni: {cniBinDir: /foo}}",
                "{hub: r.example/x, platform: k3s, cni: {cniBinDir: /foo}}"
            ),
            ("values: {global: {platform: gke}}", "{hub: r.example/x, resourceQuotas: {enabled: true}}"),
            (
                "values: {cni: {repair: {repairPods: false, deletePods: true}}}",
                "{hub: r.example/x, repair: {repairPods: false, deletePods: true}}"
            ),
            ("values: {cni: {tolerations: []}}", "{hub: r.example/x, tolerations: []}"),
            (
                "values: {cni: {updateStrategy: {type: OnDelete}, terminationGracePeriodSeconds: 5}}",
                "{hub: r.example/x, updateStrategy: {type: OnDelete}, terminationGracePeriodSeconds: 5}"
            ),
            (
                "values: {global: {networkPolicy: {enabled: true}, logAsJson: true}}",
                "{hub: r.example/x, global: {networkPolicy: {enabled: true}, logAsJson: true}}"
            ),
            (
                "values: {cni: {seLinuxOptions: {level: s0}, podLabels: {a: b}}}",
                "{hub: r.example/x, seLinuxOptions: {level: s0}, podLabels: {a: b}}"
            ),
        ]
    )
    func `a document makes what its values make through Helm`(fields: String, values: String) async throws {
        let plan = try TestDocument.plan(spec: Self.all + fields)

        try await Self.expectSame(plan, values)
    }

    private static func expectSame(_ plan: ReleasePlan, _ values: String) async throws {
        let ours = try await onThread { try Helm(TestDocument.helm()).template(plan, chart: TestDocument.chart()) }

        let objects = try YAMLDocuments.read(ours).filter { !$0.isNull }
        #expect(objects == (try await rendered(values)))
        #expect(objects.count >= 8)
    }

    /// The objects that Helm makes of values written by hand.
    static func rendered(_ values: String) async throws -> [JSONValue] {
        let byHand = try #require(try YAMLDocuments.read(values).first)
        let text = try await onThread {
            let arguments = ["template", "istio-cni", try TestDocument.chart().folder, "-n", "istio-system", "-f", "-"]
            return String(decoding: try TestDocument.helm().run(arguments, input: byHand.bytes()), as: UTF8.self)
        }
        return try YAMLDocuments.read(text).filter { !$0.isNull }
    }
}
