internal import CNIProtocol

/// Everything that somebody who helps from afar needs of a cluster's agents, in one archive, without secrets.
///
/// What cannot be had is a line in its index, and not a failure: a bundle is made when something is broken.
package struct Bundle {
    private let kubectl: Kubectl
    private let namespace: String?

    package init(_ kubectl: Kubectl, namespace: String?) {
        self.kubectl = kubectl
        self.namespace = namespace
    }

    /// The archive's files, by name.
    package func files(say: @escaping @Sendable (String) -> Void = { _ in }) -> [(name: String, text: String)] {
        var files: [(name: String, text: String)] = []
        var index: [String] = []
        func add(_ name: String, _ body: () throws(ExternalProgram.Failure) -> String) {
            say(name)
            do throws(ExternalProgram.Failure) {
                files.append((name, Secrets.removed(from: try body())))
                index.append("\(name)")
            } catch {
                index.append("\(name): not had: \(Secrets.removed(from: error.description))")
            }
        }
        for command in ["status", "doctor"] {
            add("\(command).json") { () throws(ExternalProgram.Failure) in
                let answers = try NodeAnswers.cluster(kubectl, namespace: namespace, command: command)
                let value =
                    command == "status"
                    ? StatusTable(answers, hasColour: false).value : DoctorTable(answers, hasColour: false).value
                return value.text(.indented)
            }
        }
        let place = namespace.map { ["--namespace", $0] } ?? ["--all-namespaces"]
        for (name, arguments) in [
            ("daemonset.yaml", ["get", "daemonsets", "--selector", AgentPod.selector]),
            ("pods.yaml", ["get", "pods", "--selector", AgentPod.selector]),
            ("configmap.yaml", ["get", "configmaps", "--field-selector", "metadata.name=istio-cni-config"]),
        ] {
            add(name) { () throws(ExternalProgram.Failure) in
                String(decoding: try kubectl.run(arguments + place + ["--output", "yaml"]), as: UTF8.self)
            }
        }
        add("events.txt") { () throws(ExternalProgram.Failure) in
            String(decoding: try kubectl.run(["get", "events"] + place), as: UTF8.self)
        }
        add("version.txt") { () throws(ExternalProgram.Failure) in
            String(decoding: try kubectl.run(["version"]), as: UTF8.self)
        }
        let agents = (try? AgentPod.all(kubectl, namespace: namespace)) ?? []  // The index says so already.
        for agent in agents {
            add("logs/\(agent.node).txt") { () throws(ExternalProgram.Failure) in
                String(
                    decoding: try kubectl.run(
                        ["logs", "--namespace", agent.namespace, agent.name, "--tail", "\(Self.logLines)"]
                    ),
                    as: UTF8.self
                )
            }
        }
        files.insert(("index.txt", index.joined(separator: "\n") + "\n"), at: 0)
        return files
    }

    /// Of each agent: some hours of a busy node.
    private static let logLines = 5_000
}
