internal import ArgumentParser
internal import CNIProtocol
internal import Foundation
internal import Operator

struct Inject: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make mesh pods of plain ones, offline, as far as redirection depends on it.",
        discussion: """
            Takes manifests, and prints them with what Istio's injector would add that plugin and validation look at: the \
            init container, the proxy's name, arguments, variables and user, annotations and labels. For demos, tests and \
            people without istiod. It is NO substitute for istiod: the proxy has no certificates and no configuration.

            Order is kept, comments are lost. What is injected already, or never is, passes as it is; a line on standard \
            error says why. A key of --values that Istio does not have is named there too; an IstioOperator document is \
            refused, since its values stand deeper in it.

            EXAMPLES
              istio-cnictl inject -f deployment.yaml
              istio-cnictl inject -f pod.yaml --no-cni                       with istio-init in place of istio-validation
              istio-cnictl inject -f all.yaml --values values.yaml --set meshConfig.defaultConfig.interceptionMode=TPROXY
              istio-cnictl inject -f pod.yaml | istio-cnictl explain -f -

            Exit status: 0, or 1 if a manifest cannot be read or the injector would refuse it.
            """
    )

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Manifests, in YAML or JSON; once for each file; - reads standard input.", valueName: "file")
    )
    var file: [String]

    @Option(help: ArgumentHelp("Values of the control plane: global, pilot, meshConfig, revision.", valueName: "file"))
    var values: [String] = []

    @Option(help: ArgumentHelp("One value over those of the files.", valueName: "path=value"))
    var set: [String] = []

    @Option(help: ArgumentHelp("The control plane's revision.", valueName: "name"))
    var revision: String?

    @Flag(
        inversion: .prefixedNo,
        help: "Whether the plugin redirects; pilot.cni.enabled of the values, or yes, unless set."
    )
    var cni: Bool?

    @Flag(inversion: .prefixedNo, help: "Whether the proxy is an init container that goes on running.")
    var nativeSidecars = true

    @Option(name: .shortAndLong, help: ArgumentHelp("The namespace of manifests that name none.", valueName: "name"))
    var namespace = "default"

    @Option(help: ArgumentHelp("OpenShift: the namespace's openshift.io/sa.scc.uid-range.", valueName: "start/size"))
    var uidRange: String?

    func run() throws {
        try Output.reporting("inject") {
            var injection = Injection(settings: try settings())
            injection.namespace = namespace
            if let uidRange {
                injection.settings.platform = "openshift"
                injection.namespaceAnnotations[namespace] = ["openshift.io/sa.scc.uid-range": uidRange]
            }
            let outcome = try injection.inject(try file.flatMap { try ManifestFile.read($0) })
            for note in outcome.notes { FileHandle.standardError.write(Data("istio-cnictl inject: \(note)\n".utf8)) }
            Output.write(try YAMLDocuments.text(outcome.documents))
        }
    }

    private func settings() throws -> MeshSettings {
        var files: [(name: String, documents: [JSONValue])] = []
        for path in self.values {
            files.append((path == "-" ? "standard input" : path, try ManifestFile.read(path)))
        }
        let values = try ControlPlaneValues(files: files, settings: try set.map { try SetExpression($0) })
        for line in values.warnings { Output.warn(line) }
        var settings = MeshSettings(values: values.value)
        if let cni { settings.usesPlugin = cni }
        if let revision { settings.revision = revision }
        settings.hasNativeSidecars = nativeSidecars
        return settings
    }
}
