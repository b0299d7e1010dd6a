internal import CNIProtocol

/// How far a DaemonSet has come.
struct AgentRollout: Equatable {
    let desired: Int
    let ready: Int
    let updated: Int

    /// Whether the numbers are about the DaemonSet as it is now.
    let isObserved: Bool

    /// Whether old pods stay until somebody deletes them.
    let isOnDelete: Bool

    /// The nodes that are not ready, and why.
    let waiting: [Node]

    struct Node: Equatable, CustomStringConvertible {
        let name: String
        let reason: String

        var description: String { "\(name): \(reason)" }
    }

    init(_ daemonSet: JSONValue, pods: [JSONValue]) {
        let status = daemonSet["status"] ?? .null
        desired = status["desiredNumberScheduled"]?.integer ?? 0
        ready = status["numberReady"]?.integer ?? 0
        updated = status["updatedNumberScheduled"]?.integer ?? 0
        let generation = daemonSet[path: ["metadata", "generation"]]?.integer ?? 0
        isObserved = (status["observedGeneration"]?.integer ?? -1) >= generation
        isOnDelete = daemonSet[path: ["spec", "updateStrategy", "type"]]?.string == "OnDelete"
        waiting = pods.compactMap(Self.node).sorted { $0.name < $1.name }
    }

    /// Ready everywhere, with the new version unless that is up to somebody.
    ///
    /// Both numbers, since a DaemonSet counts an old pod as ready too. A cluster of no nodes is ready.
    var isDone: Bool { isObserved && ready >= desired && (isOnDelete || updated >= desired) }

    /// Nodes that are to have a pod, and have none.
    var missing: Int { max(0, desired - updated - waiting.count) }

    var progress: String { "\(ready) of \(desired) nodes ready, \(updated) with the new version" }

    private static func node(_ pod: JSONValue) -> Node? {
        let conditions = pod[path: ["status", "conditions"]]?.array ?? []
        let isReady = conditions.contains { $0["type"]?.string == "Ready" && $0["status"]?.string == "True" }
        if isReady { return nil }
        return Node(name: PodOnNode.name(pod), reason: PodOnNode.reason(pod))
    }
}

/// What of a pod tells about its node.
enum PodOnNode {
    /// The node's name; of a pod that waits for its node, the one that the DaemonSet wants it on.
    static func name(_ pod: JSONValue) -> String {
        if let name = pod[path: ["spec", "nodeName"]]?.string { return name }
        let terms = pod[path: [
            "spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms",
        ]]
        let fields = terms?.array?.first?["matchFields"]?.array ?? []
        return fields.first?["values"]?.strings?.first ?? "a node that is not chosen yet"
    }

    /// Why it is not ready.
    static func reason(_ pod: JSONValue) -> String {
        let status = pod["status"] ?? .null
        for list in ["initContainerStatuses", "containerStatuses"] {
            for container in status[list]?.array ?? [] {
                let waiting = container[path: ["state", "waiting"]]
                guard let waiting, waiting["reason"]?.string != "PodInitializing" else { continue }
                return words(waiting["reason"], waiting["message"])
            }
        }
        for condition in status["conditions"]?.array ?? [] where condition["status"]?.string == "False" {
            guard condition["type"]?.string == "PodScheduled" else { continue }
            return words(condition["reason"], condition["message"])
        }
        if let reason = status["reason"] { return words(reason, status["message"]) }
        return "runs, and is not ready"
    }

    private static func words(_ reason: JSONValue?, _ message: JSONValue?) -> String {
        [reason?.string, message?.string].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: ": ")
    }
}
