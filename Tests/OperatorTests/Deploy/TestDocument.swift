import CNIProtocol
import Foundation
import TestSupport

@testable import Operator

/// A document of a test, and the chart of this repository.
enum TestDocument {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized

    /// The folder that has the real Helm.
    static let helmFolder =
        ProcessInfo.processInfo.environment["HELM_BIN"]
        ?? root.appending(path: ".build-helm/bin").path(percentEncoded: false)

    static func chart() throws -> Chart {
        try Chart(root.appending(path: "charts/istio-cni").path(percentEncoded: false), program: "")
    }

    static func helm() throws -> ExternalProgram {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return try ExternalProgram("helm", environment: ["PATH": "\(helmFolder):\(path)"])
    }

    /// A document with this `spec`, in YAML.
    static func read(
        spec: String,
        settings: [String] = []
    ) throws -> InstallDocument {
        let indented = spec.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
        let text = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec:\n\(indented)\n"
        return try read(texts: [text], settings: settings)
    }

    static func read(
        texts: [String],
        settings: [String] = []
    ) throws -> InstallDocument {
        var ignored: [DocumentError.Finding] = []
        return try InstallDocument(
            files: texts.enumerated().map { index, text in
                InstallDocument.File(
                    name: "file \(index)",
                    documents: try YAMLDocuments.read(text).filter { !$0.isNull }
                )
            },
            settings: settings.map { try SetExpression($0) },
            chart: try chart().schema,
            ignored: &ignored
        )
    }

    static func plan(spec: String, settings: [String] = [], server: ServerVersion? = nil) throws -> ReleasePlan {
        let document = try read(spec: spec, settings: settings)
        return try ReleasePlan(server.map(document.on) ?? document, server: server)
    }
}
