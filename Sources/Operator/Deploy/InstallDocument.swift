package import CNIProtocol

/// What somebody wants installed: IstioOperator documents, flags over them, and the profile below.
///
/// The last wins: the profile `default`, the chosen profile, what the cluster says, the files in their order, `--set` in
/// its order. Maps merge, all else replaces, lists too.
package struct InstallDocument: Equatable, Sendable {
    /// `metadata.name`, or empty.
    package let name: String

    /// Everything together.
    package private(set) var spec: JSONValue

    private let profile: InstallProfile

    /// What people wrote, without profile and cluster.
    package let own: JSONValue

    /// `metadata.namespace`: where the control plane is, `values.global.istioNamespace` before it.
    package let systemNamespace: String

    package struct File: Sendable {
        /// For messages.
        package let name: String
        package let documents: [JSONValue]

        package init(name: String, documents: [JSONValue]) {
            self.name = name
            self.documents = documents
        }
    }

    /// - Parameters:
    ///   - files: Of one document each.
    ///   - settings: Over the files, relative to `spec`.
    ///   - chart: The chart's `values.schema.json`.
    ///   - ignored: Gets the findings that are let pass.
    ///   - isForced: Whether findings are let pass.
    /// - Throws: Every field that is unknown or of a wrong type, with its path.
    package init(
        files: [File],
        settings: [SetExpression] = [],
        chart: ValueSchema,
        ignored: inout [DocumentError.Finding],
        isForced: Bool = false
    ) throws(DocumentError) {
        var document = JSONValue.object([])
        for file in files { document = document.merging(try Self.document(of: file)) }
        if document["spec"]?.isNull ?? true { document = document.setting("spec", .object([])) }
        for setting in settings {
            document = document.setting(path: (["spec"] + setting.path)[...], setting.value)
        }
        let findings = try DocumentCheck(document, chart: chart).findings()
        guard findings.isEmpty || isForced else { throw DocumentError(findings) }
        ignored += findings
        name = document[path: ["metadata", "name"]]?.string ?? ""
        own = document["spec"] ?? .object([])
        profile = try Self.profile(own["profile"]?.string ?? "")
        spec = profile.spec.merging(own)
        systemNamespace =
            spec[path: ["values", "global", "istioNamespace"]]?.string
            ?? document[path: ["metadata", "namespace"]]?.string ?? "istio-system"
    }

    /// The same with what a cluster says of itself between the profile and what people wrote.
    package func on(_ server: ServerVersion) -> InstallDocument {
        var result = self
        result.spec = profile.spec.merging(server.spec).merging(own)
        return result
    }

    private static func document(of file: File) throws(DocumentError) -> JSONValue {
        guard let document = file.documents.first, file.documents.count == 1 else {
            throw DocumentError("", "\(file.name): holds \(file.documents.count) documents, want one IstioOperator")
        }
        guard document.members != nil else { throw DocumentError("", "\(file.name): is no IstioOperator document") }
        for (name, wanted) in [("apiVersion", "install.istio.io/v1alpha1"), ("kind", "IstioOperator")] {
            let found = document[name]?.string
            guard found == wanted else {
                throw DocumentError(name, "\(file.name) has \(found ?? "none"), want \(wanted)")
            }
        }
        return document
    }

    private static func profile(_ name: String) throws(DocumentError) -> InstallProfile {
        if name.isEmpty { return .default }
        if let profile = InstallProfile(rawValue: name) { return profile }
        let names = InstallProfile.allCases.map(\.rawValue)
        if let nearest = NearestName.of(name, among: names) {
            throw DocumentError("spec.profile", "there is no profile \(name); did you mean \(nearest)?")
        }
        let isFile = name.contains("/") ? "; profiles in files are not read, give the file with -f" : ""
        throw DocumentError(
            "spec.profile",
            "there is no profile \(name), only \(names.sorted().joined(separator: ", "))\(isFile)"
        )
    }
}
