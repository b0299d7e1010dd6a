internal import CNIProtocol

/// How the cluster would change by an installation.
struct InstallPreview {
    private let cluster: AgentCluster
    private let chart: Chart
    private let plan: ReleasePlan

    init(_ plan: ReleasePlan, chart: Chart, on cluster: AgentCluster) {
        self.plan = plan
        self.chart = chart
        self.cluster = cluster
    }

    /// - Returns: What `kubectl diff` writes, and the names of objects that come or go.
    /// - Throws: What a program could not do.
    func text() throws -> String {
        let manifest = try cluster.helm.template(plan, chart: chart)
        let objects = try YAMLDocuments.read(manifest).filter { !$0.isNull }
        guard try cluster.kubectl.object("namespace", plan.namespace, namespace: nil) != nil else {
            // A server refuses to try objects of a namespace that is not there.
            return (["+ Namespace/\(plan.namespace)"] + objects.map { "+ \(Self.name($0))" }).joined(separator: "\n")
                + "\n"
        }
        let gone = try released().filter { old in !objects.contains { Self.name($0) == Self.name(old) } }
        let removed = gone.map { "- \(Self.name($0))\n" }.joined()
        let text = try differences(manifest) + removed
        return text.isEmpty ? "nothing would change\n" : text
    }

    private func released() throws(ExternalProgram.Failure) -> [JSONValue] {
        guard let release = try cluster.helm.releases().first else { return [] }
        return try cluster.helm.objects(of: release)
    }

    /// Status 1 says that there are differences.
    private func differences(_ manifest: String) throws(ExternalProgram.Failure) -> String {
        let arguments = ["diff", "--namespace", plan.namespace, "--filename", "-"]
        let ended = try cluster.kubectl.outcome(arguments, input: Array(manifest.utf8))
        guard ended.status <= 1 else {
            throw ExternalProgram.Failure("kubectl diff: exit status \(ended.status): \(ended.error)")
        }
        return String(decoding: ended.output, as: UTF8.self)
    }

    static func name(_ object: JSONValue) -> String {
        "\(object["kind"]?.string ?? "?")/\(object[path: ["metadata", "name"]]?.string ?? "?")"
    }
}
