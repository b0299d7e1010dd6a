import CNIProtocol
import Foundation
import LinuxKernel
import TestSupport
import Testing

@testable import Operator

/// What `inject` takes as values of the control plane, what it refuses, and what it names.
@Suite struct ControlPlaneValuesTests {
    private static func values(_ text: String, _ settings: String...) throws -> ControlPlaneValues {
        try ControlPlaneValues(
            files: [("values.yaml", try YAMLDocuments.read(text))],
            settings: settings.map { text in try SetExpression(text) }
        )
    }

    private static func refusal(_ text: String, _ settings: String...) throws -> String {
        let files = [(name: "values.yaml", documents: try YAMLDocuments.read(text))]
        let expressions = try settings.map { text in try SetExpression(text) }
        let failure = #expect(throws: ControlPlaneValues.Failure.self) {
            _ = try ControlPlaneValues(files: files, settings: expressions)
        }
        return failure?.description ?? ""
    }

    @Test func `single values stand over those of the files, and the last file wins`() throws {
        let values = try ControlPlaneValues(
            files: [
                ("a", try YAMLDocuments.read("global: {hub: a, tag: one}\npilot: {cni: {enabled: false}}")),
                ("b", try YAMLDocuments.read("global: {hub: b}")),
            ],
            settings: [try SetExpression("pilot.cni.enabled=true")]
        )

        #expect(values.value[path: ["global", "hub"]]?.string == "b")
        #expect(values.value[path: ["global", "tag"]]?.string == "one")
        #expect(MeshSettings(values: values.value).usesPlugin)
        #expect(values.warnings == [])
    }

    @Test(arguments: ["pilot.cni=false", "cni=false", "pilot.cni={a}"])
    func `a switch of the plugin that is no map is refused, and the right one named`(setting: String) throws {
        let refusal = try Self.refusal("{}", setting)

        let name = setting.prefix { $0 != "=" }
        #expect(refusal.hasPrefix("\(name) is "))
        #expect(refusal.contains("set \(name).enabled to true or false"))
    }

    @Test(arguments: ["pilot: true", "global: [a]", "global: {proxy: x}", "meshConfig: {defaultConfig: 1}"])
    func `what is looked into and is no map is refused`(text: String) throws {
        #expect(try Self.refusal(text).hasSuffix("want a map"))
    }

    @Test func `a switch that is a text is refused, since a template takes it for true`() throws {
        #expect(
            try Self.refusal("pilot: {cni: {enabled: 'false'}}")
                == #"pilot.cni.enabled is "false", want true or false"#
        )
    }

    @Test func `what is null is not set`() throws {
        let values = try Self.values("pilot: {cni: null}\nglobal: null")

        #expect(MeshSettings(values: values.value) == MeshSettings())
    }

    @Test func `an IstioOperator document is refused, with the way to its values`() throws {
        let refusal = try Self.refusal(
            "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: {values: {pilot: {cni: {enabled: false}}}}"
        )

        #expect(refusal.hasPrefix("values.yaml is a document of kind IstioOperator, want values"))
        #expect(refusal.contains("yq '.spec.values"))
    }

    @Test(arguments: [("kind: ConfigMap", "kind ConfigMap"), ("[a]", "want a map"), ("text", "want a map")])
    func `a file that holds no values is refused`(text: String, word: String) throws {
        #expect(try Self.refusal(text).contains(word))
    }

    @Test func `a key that Istio does not have is named with the nearest one`() throws {
        let values = try Self.values("{}", "gloabl.proxy.x=1", "somethingElseAltogether=1")

        #expect(
            values.warnings == [
                "values: gloabl is no value of Istio's and has no effect; did you mean global?",
                "values: somethingElseAltogether is no value of Istio's and has no effect",
            ]
        )
    }

    @Test func `values of the chart istiod are known, whether inject looks at them or not`() throws {
        let values = try Self.values("autoscaleEnabled: true\nenv: {A: b}\npilot: {}\ncni: {enabled: true}\ntag: x")

        #expect(values.warnings == [])
    }

    @Test func `the program ends with 1 for what is refused, and warns of what has no effect`() async throws {
        let pod = "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: a, image: b}]}}"

        let refused = try await Self.inject(pod, "--set", "pilot.cni=false")
        let warned = try await Self.inject(pod, "--set", "gloabl.proxy.x=1")

        #expect(refused.status == 1)
        #expect(refused.output.isEmpty)
        #expect(refused.error.hasPrefix("istio-cnictl inject: pilot.cni is false, want a map"))
        #expect(warned.status == 0)
        #expect(
            warned.error == "warning: values: gloabl is no value of Istio's and has no effect; did you mean global?\n"
        )
        #expect(warned.output.contains("istio-validation"))
    }

    private static func inject(
        _ manifest: String,
        _ arguments: String...
    ) async throws -> (status: Int?, output: String, error: String) {
        let program = URL(filePath: AgentProcess.program).deletingLastPathComponent().appending(path: "istio-cnictl")
        let call = ChildProcess(
            program.path(percentEncoded: false),
            ["inject", "-f", "-"] + arguments,
            standardInput: Array(manifest.utf8),
            deadlineMilliseconds: 30_000
        )
        let ended = try await onThread { try call.run() }
        let status: Int? = if case .exit(let status) = ended.ending { status } else { nil }
        return (
            status, String(decoding: ended.standardOutput, as: UTF8.self),
            String(decoding: ended.standardError, as: UTF8.self)
        )
    }
}
