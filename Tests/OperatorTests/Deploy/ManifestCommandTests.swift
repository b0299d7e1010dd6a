import CNIProtocol
import Conformance
import Foundation
import TestSupport
import Testing

@testable import Operator

/// `istio-cnictl manifest generate` as people run it: no cluster is there.
@Suite struct ManifestCommandTests {
    private static let file = TestDocument.root.appending(path: "examples/operator/istio-cni.yaml").path(
        percentEncoded: false
    )
    private static let arguments = ["manifest", "generate", "--set", "hub=r.example/x"]

    @Test(.tags(.s16)) func `the document is rendered to standard output, or into a file`() async throws {
        let output = FileManager.default.temporaryDirectory.appending(path: "manifest-\(UUID().uuidString)")
        let path = output.path(percentEncoded: false)

        let printed = try await Self.run(Self.arguments + ["-f", Self.file])
        let written = try await Self.run(Self.arguments + ["-f", Self.file, "-o", path])

        let objects = try YAMLDocuments.read(printed.output).filter { !$0.isNull }.map(InstallPreview.name)
        #expect(objects.contains("DaemonSet/istio-cni-node"))
        #expect(written.output.isEmpty)
        #expect(try String(contentsOf: output, encoding: .utf8) == printed.output)
        try FileManager.default.removeItem(at: output)
    }

    @Test func `a document comes from standard input, and later files win`() async throws {
        let head = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n"
        let later = "spec: {components: {cni: {namespace: mesh}}}\n"

        let ended = try await Self.run(Self.arguments + ["-f", Self.file, "-f", "-"], input: head + later)

        let objects = try YAMLDocuments.read(ended.output)
        let daemonSet = try #require(objects.first { $0["kind"]?.string == "DaemonSet" }, "\(ended.error)")
        #expect(daemonSet[path: ["metadata", "namespace"]]?.string == "mesh")
    }

    @Test func `a wrong document ends with 1 and the path, before a cluster is asked`() async throws {
        let wrong = ["-f", Self.file, "--set", "values.cni.chaned=false"]

        let generated = try await Self.run(Self.arguments + wrong)
        let installed = try await Self.run(["install", "-y"] + wrong)

        for ended in [generated, installed] {
            #expect(ended.status == 1)
            #expect(
                ended.error.hasSuffix(": spec.values.cni.chaned: no such field; did you mean chained?\n"),
                "\(ended.error)"
            )
        }
    }

    @Test func `with --force a wrong field is a warning, as far as Helm takes it`() async throws {
        let ended = try await Self.run(
            Self.arguments + ["-f", Self.file, "--set", "components.cni.k8s.replicas=1", "--force"]
        )

        #expect(ended.status == 0, "\(ended.error)")
        #expect(ended.error.hasPrefix("warning: spec.components.cni.k8s.replicas: no such field"))
    }

    @Test func `without a registry it is said what to set`() async throws {
        let ended = try await Self.run(["manifest", "generate", "-f", Self.file])
        let installed = try await Self.run(["install", "-y", "-f", Self.file])

        #expect(ended.status == 1)
        let message = "spec.hub: is not set, and no public registry holds this image yet: --set hub=REGISTRY\n"
        #expect(ended.error == "istio-cnictl manifest generate: \(message)")
        #expect(installed.status == 1)
        #expect(installed.error == "istio-cnictl install: \(message)")
    }

    @Test func `Istio's own registry is refused, and taken with --force`() async throws {
        let arguments = ["manifest", "generate", "-f", Self.file, "--set", "hub=docker.io/istio"]

        let refused = try await Self.run(arguments)
        let forced = try await Self.run(arguments + ["--force"])

        #expect(refused.status == 1)
        #expect(refused.output.isEmpty)
        #expect(refused.error.contains("spec.hub: docker.io/istio holds Istio's own agent"), "\(refused.error)")
        #expect(forced.status == 0, "\(forced.error)")
        #expect(forced.error.hasPrefix("warning: spec.hub: docker.io/istio holds Istio's own agent"))
        #expect(forced.output.contains("docker.io/istio/install-cni:"))
    }

    @Test func `ambient mode is warned of, and the manifests are printed`() async throws {
        let ended = try await Self.run(Self.arguments + ["-f", Self.file, "--set", "profile=ambient"])

        #expect(ended.status == 0, "\(ended.error)")
        #expect(ended.error == "warning: \(ReleasePlan.noAmbient)\n")
        #expect(ended.output.contains("AMBIENT_ENABLED: \"true\""))
    }

    @Test(.tags(.s16, .s27), arguments: RenderedDocumentTests.guide)
    func `the command prints for the guide's documents what their values make through Helm`(
        file: String,
        values: String
    ) async throws {
        let path = TestDocument.root.appending(path: file).path(percentEncoded: false)

        let ended = try await Self.run(Self.arguments + ["-f", path])

        #expect(ended.status == 0, "\(ended.error)")
        let objects = try YAMLDocuments.read(ended.output).filter { !$0.isNull }
        #expect(objects == (try await RenderedDocumentTests.rendered(values)))
        #expect(objects.count >= 8)
    }

    private static func run(_ arguments: [String], input: String = "") async throws -> DeployCluster.Ended {
        try await DeployCluster.command(arguments, kubeconfig: "/nowhere", input: input)
    }
}
