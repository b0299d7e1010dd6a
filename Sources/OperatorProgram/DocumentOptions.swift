internal import ArgumentParser
internal import CNIProtocol
internal import Foundation
internal import Operator

/// Which document, which chart: what `install` and `manifest generate` have in common.
struct DocumentOptions: ParsableArguments {
    @Option(
        name: [.customShort("f"), .customLong("filename")],
        help: ArgumentHelp(
            "An IstioOperator document; once for each file, the last wins; - reads standard input.",
            valueName: "file"
        )
    )
    var files: [String] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("One field over those of the files, relative to spec.", valueName: "path=value")
    )
    var set: [String] = []

    @Option(name: .shortAndLong, help: ArgumentHelp("As --set revision=NAME.", valueName: "name"))
    var revision: String?

    @Option(
        help: ArgumentHelp(
            "The agent's chart; charts/istio-cni beside this program or above it unless set.",
            valueName: "folder"
        )
    )
    var chart: String?

    @Flag(help: "Go on where a field is unknown or of a wrong type, or the image is Istio's; Helm's own check remains.")
    var force = false

    func openChart() throws -> Chart {
        try Chart(chart, program: Bundle.main.executablePath ?? CommandLine.arguments[0])
    }

    /// What is to be released; says what is let pass.
    ///
    /// - Parameters:
    ///   - chart: That of the agent.
    ///   - server: Asked once the document is known to be right; nil where there is no cluster.
    /// - Returns: The plan for Helm.
    /// - Throws: What is wrong in the document, or what the server said.
    func plan(chart: Chart, server: () throws -> ServerVersion? = { nil }) throws -> ReleasePlan {
        let files = try self.files.map { path in
            InstallDocument.File(name: NamedFile.name(of: path), documents: try ManifestFile.read(path))
        }
        var settings = try set.map { try SetExpression($0) }
        if let revision, revision != "default" { settings.append(try SetExpression("revision=\(revision)")) }
        var ignored: [DocumentError.Finding] = []
        let document = try InstallDocument(
            files: files,
            settings: settings,
            chart: chart.schema,
            ignored: &ignored,
            isForced: force
        )
        var plan = try ReleasePlan(document)
        if let finding = plan.imageFinding {
            guard force else { throw DocumentError([finding]) }
            ignored.append(finding)
        }
        if let version = try server() { plan = try ReleasePlan(document.on(version), server: version) }
        for line in ignored.map(\.description) + plan.notes { Output.warn(line) }
        return plan
    }
}
