package import CNIProtocol

/// Whether the plugin stays on the node when the agent ends (architecture, decision 11).
///
/// It stays unless the API server says in so many words that this node is to have no agent any more: an upgrade, a
/// reboot and a dead API server must not let one pod of the mesh start unredirected. It holds no connection; it says
/// what to ask, and is told the replies.
package struct ExitDecision {
    package enum Question: Equatable, Sendable {
        /// `istio-cni-node` in the agent's namespace.
        case daemonSet

        /// The pod that this agent runs in, which every chart lets it read.
        case ownPod

        case node
    }

    package enum Reply: Sendable {
        case found(JSONValue)
        case notFound

        /// Also with a token that was read anew.
        case unauthorized
        case forbidden

        /// No answer, or one that says nothing: a time-out, 5xx, no route, garbage.
        case unclear(String)
    }

    package enum Step: Equatable, Sendable {
        case ask(Question)
        case keep(String)
        case remove(String)
    }

    private var question = Question.daemonSet

    /// The part of a pod or a pod template that says on which nodes it may run.
    private var placement = JSONValue.null

    package init() {}

    /// The question to begin with.
    package var first: Step { .ask(question) }

    /// Takes the reply to the question that was asked last.
    package mutating func received(_ reply: Reply) -> Step {
        switch question {
        case .daemonSet: receivedDaemonSet(reply)
        case .ownPod: receivedOwnPod(reply)
        case .node: receivedNode(reply)
        }
    }

    private mutating func receivedDaemonSet(_ reply: Reply) -> Step {
        switch reply {
        case .found(let daemonSet):
            if isBeingDeleted(daemonSet) { return .remove("the DaemonSet is being deleted") }
            placement = daemonSet["spec"]?["template"]?["spec"] ?? .null
            return ask(.node)
        case .notFound: return .remove("the DaemonSet is gone")
        case .unauthorized: return .remove("the agent's account is gone: the API server takes no token of it")
        case .forbidden: return ask(.ownPod)
        case .unclear(let reason): return .keep("the DaemonSet could not be read: \(reason)")
        }
    }

    /// The official chart grants no right on the DaemonSet; when it goes, its grants go before the pods do.
    private mutating func receivedOwnPod(_ reply: Reply) -> Step {
        switch reply {
        case .found(let pod):
            placement = pod["spec"] ?? .null
            return ask(.node)
        case .notFound: return .keep("the agent may not read the DaemonSet, and its pod is being replaced")
        case .unauthorized, .forbidden: return .remove("the agent's rights are gone: the chart is being removed")
        case .unclear(let reason): return .keep("the agent's pod could not be read: \(reason)")
        }
    }

    private func receivedNode(_ reply: Reply) -> Step {
        switch reply {
        case .found(let node):
            switch NodeMatch(placement: placement, node: node) {
            case .matches: .keep("the agent is to run on this node: it is being restarted or upgraded")
            case .differs(let what): .remove("this node is no longer one of the agent's: \(what)")
            case .unclear(let what): .keep("nobody can tell whether this node is one of the agent's: \(what)")
            }
        case .notFound: .keep("the node has left the cluster")
        case .unauthorized, .forbidden: .keep("the agent may not read its node")
        case .unclear(let reason): .keep("the node could not be read: \(reason)")
        }
    }

    private mutating func ask(_ next: Question) -> Step {
        question = next
        return .ask(next)
    }

    private func isBeingDeleted(_ object: JSONValue) -> Bool {
        object["metadata"]?["deletionTimestamp"]?.string != nil
    }
}
