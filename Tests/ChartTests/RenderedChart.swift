import CNIProtocol
import Foundation
import LinuxKernel
import Operator
import Testing

/// The chart of this repository, rendered by the real Helm.
enum RenderedChart {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    static let folder = root.appending(path: "charts/istio-cni")

    /// Where scripts/install-helm put `helm`.
    static let programs =
        ProcessInfo.processInfo.environment["HELM_BIN"]
        ?? root.appending(path: ".build-helm/bin").path(percentEncoded: false)

    static func helm() throws -> ExternalProgram {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return try ExternalProgram("helm", environment: ["PATH": "\(programs):\(path)"])
    }

    /// Every object of a rendering, by `Kind/name`.
    ///
    /// - Parameters:
    ///   - values: What the user sets.
    ///   - chart: The chart's folder.
    /// - Returns: One object a name.
    /// - Throws: What Helm said where it refused.
    static func objects(_ values: JSONValue, chart: URL = folder) throws -> [String: JSONValue] {
        let ended = try template(values, chart: chart)
        guard ended.status == 0 else { throw HelmRefused(words: ended.error) }
        let documents = try YAMLDocuments.read(String(decoding: ended.output, as: UTF8.self))
        var objects: [String: JSONValue] = [:]
        for document in documents where !document.isNull {
            let key = name(of: document)
            #expect(objects[key] == nil, "\(key) is rendered twice")
            objects[key] = document
        }
        return objects
    }

    static func template(_ values: JSONValue, chart: URL = folder) throws -> ExternalProgram.Outcome {
        try helm().outcome(
            ["template", "istio-cni", chart.path(percentEncoded: false), "-n", "istio-system", "-f", "-"],
            input: values.bytes()
        )
    }

    static func name(of object: JSONValue) -> String {
        "\(object["kind"]?.string ?? "?")/\(object["metadata"]?["name"]?.string ?? "?")"
    }

    /// The chart as it was recorded: version 1.0.0.
    static func copyWithRecordedVersion() throws -> URL {
        let copy = FileManager.default.temporaryDirectory.appending(path: "chart-\(UUID().uuidString)")
        try FileManager.default.copyItem(at: folder, to: copy)
        let page = copy.appending(path: "Chart.yaml")
        let text = try String(contentsOf: page, encoding: .utf8)
            .replacing(/(?m)^(version|appVersion): .*$/) { match in "\(match.1): 1.0.0" }
        try Data(text.utf8).write(to: page)
        return copy
    }
}

struct HelmRefused: Error, CustomStringConvertible {
    let words: String

    var description: String { words }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test where Helm is not there; under `CI` it runs all the same, and fails.
    static var requiresHelm: Self {
        .enabled(
            if: ProcessInfo.processInfo.environment["CI"] != nil
                || ExecutableFile.isPresent("\(RenderedChart.programs)/helm"),
            "Helm is needed, which scripts/install-helm gets"
        )
    }
}
