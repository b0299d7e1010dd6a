internal import AgentProtocol
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
        var collection = Collection(say: say)
        addAnswers(to: &collection)
        addObjects(to: &collection)
        let agents = (try? AgentPod.all(kubectl, namespace: namespace)) ?? []  // The index says so already.
        for agent in agents {
            // While an update surges, a node has two.
            let isAlone = agents.count { other in other.node == agent.node } == 1
            add(agent, as: isAlone ? agent.node : "\(agent.node).\(agent.name)", to: &collection)
        }
        return [("index.txt", collection.index.joined(separator: "\n") + "\n")] + collection.files
    }

    // MARK: - What is in it

    private func addAnswers(to collection: inout Collection) {
        for command in ["status", "doctor"] {
            collection.add("\(command).json") { () throws(ExternalProgram.Failure) in
                let answers = try NodeAnswers.cluster(kubectl, namespace: namespace, command: command)
                let value =
                    command == "status"
                    ? StatusTable(answers, hasColour: false).value : DoctorTable(answers, hasColour: false).value
                return value.text(.indented)
            }
        }
    }

    private func addObjects(to collection: inout Collection) {
        let place = namespace.map { ["--namespace", $0] } ?? ["--all-namespaces"]
        for (name, arguments) in [
            ("daemonset.yaml", ["get", "daemonsets", "--selector", AgentPod.selector]),
            ("pods.yaml", ["get", "pods", "--selector", AgentPod.selector]),
            ("configmap.yaml", ["get", "configmaps", "--field-selector", "metadata.name=istio-cni-config"]),
        ] {
            add(name, arguments + place + ["--output", "yaml"], to: &collection)
        }
        add("events.txt", ["get", "events"] + place, to: &collection)
        add("version.txt", ["version"], to: &collection)
    }

    /// The pod as people read it, with its restarts and events, and what its container wrote, before its last end too.
    private func add(_ agent: AgentPod, as name: String, to collection: inout Collection) {
        let pod = ["--namespace", agent.namespace, agent.name]
        let log = ["logs"] + pod + ["--container", AgentPod.container, "--tail", "\(Self.logLines)"]
        add("pods/\(name).txt", ["describe", "pod"] + pod, to: &collection)
        add("logs/\(name).txt", log, to: &collection)
        // Of a container that never ended there is none, and its line in the index would look like trouble.
        if agent.hasRestarted { add("logs/\(name).previous.txt", log + ["--previous"], to: &collection) }
    }

    private func add(_ name: String, _ arguments: [String], to collection: inout Collection) {
        collection.add(name) { () throws(ExternalProgram.Failure) in
            String(decoding: try kubectl.run(arguments), as: UTF8.self)
        }
    }

    /// Of each agent: some hours of a busy node.
    private static let logLines = 5_000

    /// The files so far, and what the index says of each.
    private struct Collection {
        var files: [(name: String, text: String)] = []
        var index = ["made by istio-cnictl \(ProductVersion.text)"]
        let say: @Sendable (String) -> Void

        mutating func add(_ name: String, _ body: () throws(ExternalProgram.Failure) -> String) {
            say(name)
            do throws(ExternalProgram.Failure) {
                files.append((name, Secrets.removed(from: try body())))
                index.append(name)
            } catch {
                index.append("\(name): not had: \(Secrets.removed(from: error.description))")
            }
        }
    }
}
