/// What is wrong in an IstioOperator document: each finding with the path of its field.
package struct DocumentError: Error, Equatable, CustomStringConvertible {
    package let findings: [Finding]

    package struct Finding: Equatable, Sendable, CustomStringConvertible {
        /// Names with dots between, as `--set` takes it, with `spec` at its beginning: `spec.components.cni.enabled`.
        package let path: String
        package let problem: String

        package var description: String { path.isEmpty ? problem : "\(path): \(problem)" }
    }

    package init(_ findings: [Finding]) { self.findings = findings }

    init(_ path: String, _ problem: String) { findings = [Finding(path: path, problem: problem)] }

    package var description: String { findings.map(\.description).joined(separator: "\n") }
}
