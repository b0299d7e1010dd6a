internal import CNIProtocol
internal import Foundation

/// Looks at every node after its agent has gone: a DaemonSet for a minute, of the agent's image and directories.
///
/// It runs `install-cni uninstall --verify`, which changes nothing, and before it, if it is to clean,
/// `install-cni uninstall --remove-binary`. The kubelet keeps each result in the status of the pod.
struct NodeCheck {
    /// The same in `k8s-app`.
    static let name = "istio-cni-uninstall"

    let object: JSONValue
    private let namespace: String
    private let cluster: AgentCluster

    /// - Parameters:
    ///   - daemonSet: The agent's own, as Helm made it.
    ///   - namespace: Of the agent, whose account and settings are still there.
    ///   - cleans: Whether to take away what is left.
    ///   - cluster: Where to run it.
    init(_ daemonSet: JSONValue, namespace: String, cleans: Bool, on cluster: AgentCluster) {
        self.namespace = namespace
        self.cluster = cluster
        object = Self.object(daemonSet, namespace: namespace, cleans: cleans)
    }

    // MARK: The object

    private static func object(_ daemonSet: JSONValue, namespace: String, cleans: Bool) -> JSONValue {
        let labels = JSONValue.strings([("k8s-app", name), ("sidecar.istio.io/inject", "false")])
        let agent = daemonSet[path: ["spec", "template", "spec", "containers"]]?.array?.first ?? .null
        let cleaning = container(agent, named: cleaner, ["uninstall", "--remove-binary"])
        let looking = container(agent, named: nil, ["uninstall", "--verify"] + (cleans ? ["--remove-binary"] : []))
        var template = daemonSet[path: ["spec", "template"]] ?? .null
        template = template.setting(path: ["metadata", "labels"], labels)
        template = template.setting(path: ["spec", "initContainers"], .array(cleans ? [cleaning] : []))
        template = template.setting(path: ["spec", "containers"], .array([looking]))
        // A profile is asked for by the container's name.
        let profile = "container.apparmor.security.beta.kubernetes.io/"
        if cleans, let value = template[path: ["metadata", "annotations", profile + "install-cni"]] {
            template = template.setting(path: ["metadata", "annotations", profile + cleaner], value)
        }
        return JSONValue.strings([("apiVersion", "apps/v1"), ("kind", "DaemonSet")])
            .setting("metadata", .strings([("name", name), ("namespace", namespace)]))
            .setting(path: ["spec", "selector", "matchLabels"], .strings([("k8s-app", name)]))
            .setting(path: ["spec", "template"], template)
    }

    private static let cleaner = "install-cni-clean"

    private static func container(_ agent: JSONValue, named name: String?, _ arguments: [String]) -> JSONValue {
        let plain = ["readinessProbe", "livenessProbe", "ports"].reduce(agent) { $0.removing($1) }
        return (name.map { plain.setting("name", .string($0)) } ?? plain)
            .setting("args", .array(arguments.map { .string($0) }))
            // Its last lines say what is left.
            .setting("terminationMessagePolicy", .string("FallbackToLogsOnError"))
    }

    // MARK: What it finds

    struct Result: Equatable {
        let node: String

        /// nil: nothing is left.
        let problem: String?

        /// Whether the node could be looked at at all.
        let isSeen: Bool
    }

    struct Findings: Equatable {
        /// One a pod, in the order of the nodes' names.
        let results: [Result]

        /// How many nodes are to be looked at; nil where no controller has counted them in time.
        let nodes: Int?

        var seen: [Result] { results.filter(\.isSeen) }

        var clean: Int { seen.count { $0.problem == nil } }

        /// Nodes that have something left.
        var isDirty: Bool { clean < seen.count }

        /// Nodes for which no pod was made, where it is known how many there are.
        var podless: Int { max(0, (nodes ?? 0) - results.count) }

        /// Whether every node was looked at.
        var isWhole: Bool { nodes.map { Set(seen.map(\.node)).count >= $0 } ?? false }

        /// Whether the agent's account is still needed to clean.
        var keepsRelease: Bool { isDirty || (seen.isEmpty && !isWhole) }
    }

    /// Runs it everywhere, and removes it again.
    ///
    /// - Parameters:
    ///   - seconds: How long nodes may take.
    ///   - pollMilliseconds: Between two looks.
    /// - Returns: What it saw, and on how many nodes it was to look.
    /// - Throws: What `kubectl` could not do.
    func run(seconds: Int, pollMilliseconds: Int) throws(ExternalProgram.Failure) -> Findings {
        _ = try cluster.kubectl.run(["apply", "--filename", "-"], input: object.bytes())
        let found: Findings
        do throws(ExternalProgram.Failure) {
            found = try wait(seconds: seconds, pollMilliseconds: pollMilliseconds)
        } catch {
            try remove()
            throw error
        }
        try remove()
        return found
    }

    private func remove() throws(ExternalProgram.Failure) {
        _ = try cluster.kubectl.run(
            ["delete", "daemonset", Self.name, "--namespace", namespace, "--ignore-not-found", "--wait"],
            seconds: Self.removeSeconds
        )
    }

    private static let removeSeconds = 120

    private func wait(seconds: Int, pollMilliseconds: Int) throws(ExternalProgram.Failure) -> Findings {
        let deadline = Date(timeIntervalSinceNow: TimeInterval(seconds))
        while true {
            let daemonSet = try cluster.kubectl.object("daemonset", Self.name, namespace: namespace) ?? .null
            let rollout = AgentRollout(daemonSet, pods: [])
            let pods = try cluster.pods(of: Self.name, in: namespace)
            let results = pods.map { (pod: $0, result: Self.result($0)) }
            let isAll = rollout.isObserved && pods.count >= rollout.desired && results.allSatisfy { $0.result != nil }
            if isAll || Date() >= deadline {
                let all = results.map { pod, result in
                    result ?? Result(node: PodOnNode.name(pod), problem: PodOnNode.reason(pod), isSeen: false)
                }
                let nodes = rollout.isObserved ? rollout.desired : nil
                return Findings(results: all.sorted { $0.node < $1.node }, nodes: nodes)
            }
            Thread.sleep(forTimeInterval: Double(pollMilliseconds) / 1_000)
        }
    }

    /// What a pod says of its node; nil while it works.
    static func result(_ pod: JSONValue) -> Result? {
        let node = PodOnNode.name(pod)
        let status = pod["status"] ?? .null
        if let failure = ended(status["initContainerStatuses"]), failure.code != 0 {
            return Result(node: node, problem: failure.message, isSeen: true)
        }
        guard let end = ended(status["containerStatuses"]) else { return nil }
        return Result(node: node, problem: end.code == 0 ? nil : end.message, isSeen: true)
    }

    /// A container that ends is started again, so its end may be one back.
    private static func ended(_ statuses: JSONValue?) -> (code: Int, message: String)? {
        guard let container = statuses?.array?.first else { return nil }
        let end = container[path: ["state", "terminated"]] ?? container[path: ["lastState", "terminated"]]
        guard let end, let code = end["exitCode"]?.integer else { return nil }
        let lines = (end["message"]?.string ?? "").split(whereSeparator: \.isNewline).joined(separator: "; ")
        return (code, lines.isEmpty ? "exit status \(code)" : lines)
    }
}
