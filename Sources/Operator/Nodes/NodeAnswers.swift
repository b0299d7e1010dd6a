package import Agent
package import CNIProtocol
internal import Foundation
internal import Synchronization

/// What the agents of several nodes say, and what kept others from saying it.
package struct NodeAnswers: Sendable {
    package let nodes: [Node]

    package struct Node: Sendable {
        package let name: String

        /// The agent's pod, or the run directory that was asked.
        package let agent: String
        package let answer: Answer

        package init(name: String, agent: String, answer: Answer) {
            self.name = name
            self.agent = agent
            self.answer = answer
        }
    }

    package enum Answer: Sendable {
        case report(JSONValue)

        /// Why there is none.
        case none(String)
    }

    package init(_ nodes: [Node]) { self.nodes = nodes.sorted { one, two in one.name < two.name } }

    /// Whether some node could not be asked.
    package var isIncomplete: Bool {
        nodes.contains { node in
            if case .none = node.answer { true } else { false }
        }
    }

    /// The pods and the status of each node that has answered `status`.
    package var reports: [(node: Node, report: NodeReport)] {
        nodes.compactMap { node in
            guard case .report(let value) = node.answer else { return nil }
            return (node, NodeReport(status: value["agent"] ?? .null, pods: value))
        }
    }

    // MARK: - Whom to ask

    /// Asks agents of this machine, each over the socket in its run directory.
    package static func local(_ directories: [String]) -> NodeAnswers {
        NodeAnswers(
            directories.map { directory in
                do throws(AgentClient.Failure) {
                    let report = try NodeReport(asking: AgentClient(runDirectory: directory))
                    let name = report.status["nodeName"]?.string ?? ""
                    return Node(name: name.isEmpty ? directory : name, agent: directory, answer: .report(report.value))
                } catch {
                    return Node(name: directory, agent: directory, answer: .none(error.description))
                }
            }
        )
    }

    /// Asks the agent of every node of a cluster: runs `install-cni COMMAND --json` in its pod, some at a time.
    ///
    /// - Parameters:
    ///   - kubectl: The user's own.
    ///   - namespace: Where the agents are; nil: wherever.
    ///   - command: `status`, `bypass` or `doctor`.
    ///   - progress: Told how many have answered, of how many.
    /// - Returns: An answer for each node that `kubectl` knows.
    /// - Throws: That not even the agents' names could be had.
    package static func cluster(
        _ kubectl: Kubectl,
        namespace: String?,
        command: String,
        progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) throws(ExternalProgram.Failure) -> NodeAnswers {
        let agents = try AgentPod.all(kubectl, namespace: namespace)
        let done = Tally(agents.count, progress)
        let answers = agents.concurrentMap(limit: mostAtOnce) { agent in
            defer { done.advance() }
            return Node(
                name: agent.node,
                agent: "\(agent.namespace)/\(agent.name)",
                answer: agent.ask([command, "--json"], kubectl)
            )
        }
        return NodeAnswers(answers + (try without(agents, kubectl)))
    }

    /// Each call is a process of kubectl's, of some 50 MB.
    private static let mostAtOnce = 8

    /// The nodes that no agent is on: nobody there can be asked, and that is worth a row.
    private static func without(_ agents: [AgentPod], _ kubectl: Kubectl) throws(ExternalProgram.Failure) -> [Node] {
        let known = Set(agents.map { agent in agent.node })
        let nodes = try kubectl.json(["get", "nodes"])["items"]?.array ?? []
        return nodes.compactMap { node in node["metadata"]?["name"]?.string }.filter { name in !known.contains(name) }
            .map { name in Node(name: name, agent: "-", answer: .none("no agent's pod is on this node")) }
    }
}

/// The pod of one agent.
package struct AgentPod: Sendable {
    package let name: String
    package let namespace: String
    package let node: String

    /// Whether its container has run before, and so has a log of that time.
    let hasRestarted: Bool

    static let container = "install-cni"

    /// By the label that no chart changes.
    static let selector = "k8s-app=istio-cni-node"

    package static func all(_ kubectl: Kubectl, namespace: String?) throws(ExternalProgram.Failure) -> [AgentPod] {
        let place = namespace.map { ["--namespace", $0] } ?? ["--all-namespaces"]
        let pods = try kubectl.json(["get", "pods", "--selector", selector] + place)
        return (pods["items"]?.array ?? []).compactMap { pod in
            guard let name = pod["metadata"]?["name"]?.string, let namespace = pod["metadata"]?["namespace"]?.string,
                let node = pod["spec"]?["nodeName"]?.string
            else { return nil }
            let containers = pod["status"]?["containerStatuses"]?.array ?? []
            let own = containers.first { status in status["name"]?.string == container }
            let restarts = own?["restartCount"]?.integer ?? 0
            return AgentPod(name: name, namespace: namespace, node: node, hasRestarted: restarts > 0)
        }
    }

    /// Runs `install-cni` in the pod; its statuses 0 and 1 both come with an answer.
    func ask(_ arguments: [String], _ kubectl: Kubectl) -> NodeAnswers.Answer {
        do throws(ExternalProgram.Failure) {
            let ended = try kubectl.outcome(
                ["exec", "--namespace", namespace, name, "--container", Self.container, "--", "install-cni"] + arguments
            )
            do throws(JSONError) {
                return .report(try JSONValue(parsing: ended.output, limits: Kubectl.answerLimits))
            } catch {
                let words = ended.error.split(whereSeparator: \.isNewline).last.map(String.init)
                return .none("status \(ended.status): \(words ?? "no JSON: \(error)")")
            }
        } catch {
            return .none(error.description)
        }
    }
}

/// Counts what is done on several threads.
private final class Tally: Sendable {
    private let done = Mutex(0)
    private let all: Int
    private let tell: @Sendable (Int, Int) -> Void

    init(_ all: Int, _ tell: @escaping @Sendable (Int, Int) -> Void) {
        self.all = all
        self.tell = tell
    }

    func advance() {
        let now = done.withLock { done in
            done += 1
            return done
        }
        tell(now, all)
    }
}

extension Array where Element: Sendable {
    /// Maps on several threads, so many at a time; `body` may block.
    fileprivate func concurrentMap<Value: Sendable>(
        limit: Int,
        _ body: @escaping @Sendable (Element) -> Value
    ) -> [Value] {
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = limit
        let results = Results<Value>(count: count)
        for (index, element) in enumerated() {
            queue.addOperation { results.set(body(element), at: index) }
        }
        queue.waitUntilAllOperationsAreFinished()
        return results.all
    }
}

private final class Results<Value: Sendable>: Sendable {
    private let values: Mutex<[Value?]>

    init(count: Int) { values = Mutex(Array(repeating: nil, count: count)) }

    func set(_ value: Value, at index: Int) { values.withLock { values in values[index] = value } }

    var all: [Value] { values.withLock { values in values.compactMap { $0 } } }
}
