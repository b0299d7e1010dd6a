internal import CNIProtocol

/// The user's own `helm`: their kubeconfig, their context, their rights.
package struct Helm: Sendable {
    private let program: ExternalProgram
    private let context: [String]

    /// - Parameters:
    ///   - program: `helm`.
    ///   - kubeconfig: A file other than the one that `helm` takes by itself.
    ///   - context: One of its contexts other than the current one.
    package init(_ program: ExternalProgram, kubeconfig: String? = nil, context: String? = nil) {
        self.program = program
        self.context =
            (kubeconfig.map { ["--kubeconfig", $0] } ?? []) + (context.map { ["--kube-context", $0] } ?? [])
    }

    /// What `helm template` makes of a chart, without a cluster.
    package func template(_ plan: ReleasePlan, chart: Chart) throws(ExternalProgram.Failure) -> String {
        let arguments = ["template", ReleasePlan.release, chart.folder, "-n", plan.namespace, "-f", "-"]
        return text(try program.run(arguments, input: plan.values.bytes()))
    }

    /// Makes the release, or changes it to exactly these values.
    ///
    /// Does not wait for pods: Helm 3 takes a DaemonSet of one node for ready before it is, and cannot name nodes.
    func upgrade(_ plan: ReleasePlan, chart: Chart) throws(ExternalProgram.Failure) {
        let arguments = [
            "upgrade", ReleasePlan.release, chart.folder, "-n", plan.namespace, "--install", "--create-namespace",
            "--reset-values", "-f", "-",
        ]
        _ = try program.run(arguments + context, input: plan.values.bytes(), seconds: Self.writeSeconds)
    }

    func uninstall(_ release: Release) throws(ExternalProgram.Failure) {
        let arguments = ["uninstall", ReleasePlan.release, "-n", release.namespace]
        _ = try program.run(arguments + context, seconds: Self.writeSeconds)
    }

    /// A release of the agent that is on the cluster.
    struct Release: Equatable {
        let namespace: String

        /// `cni-0.1.0`.
        let chart: String
        let status: String
    }

    /// The releases of the agent's name in all namespaces, without what is uninstalled and kept as history.
    ///
    /// Three questions: Helm 3 answers the first without pending ones, Helm 4 has no `--all`, and its filters do not add up
    /// (https://github.com/helm/helm/issues/32384).
    func releases() throws(ExternalProgram.Failure) -> [Release] {
        var found: [Release] = []
        for filter in [[], ["--pending"], ["--uninstalling"]] {
            let more = Self.releases(in: try list(filter))
            found += more.filter { release in !found.contains { $0.namespace == release.namespace } }
        }
        return found
    }

    static func releases(in list: JSONValue) -> [Release] {
        (list.array ?? []).map { element in
            Release(
                namespace: element["namespace"]?.string ?? "",
                chart: element["chart"]?.string ?? "",
                status: element["status"]?.string ?? ""
            )
        }
        .filter { $0.status != "uninstalled" }
    }

    private func list(_ filter: [String]) throws(ExternalProgram.Failure) -> JSONValue {
        let arguments = ["list", "--all-namespaces", "--filter", "^\(ReleasePlan.release)$", "--output", "json"]
        let bytes = try program.run(arguments + filter + context)
        do throws(JSONError) {
            return try JSONValue(parsing: bytes)
        } catch {
            throw ExternalProgram.Failure("helm list: no JSON: \(error)")
        }
    }

    /// The objects that Helm has made for a release.
    func objects(of release: Release) throws(ExternalProgram.Failure) -> [JSONValue] {
        let bytes = try program.run(["get", "manifest", ReleasePlan.release, "-n", release.namespace] + context)
        do throws(YAMLDocuments.Failure) {
            return try YAMLDocuments.read(text(bytes)).filter { !$0.isNull }
        } catch {
            throw ExternalProgram.Failure("helm get manifest: \(error)")
        }
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Every object of the chart is one call to the server, or a few.
    private static let writeSeconds = 300
}
