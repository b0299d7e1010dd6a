package import AgentProtocol
internal import CNIProtocol
internal import LinuxKernel
internal import Redirect

/// Whether a pod's traffic goes through its sidecar: the label of the gauge `istio_cni_pods`.
package enum PodState: String, CaseIterable, Sendable {
    case redirected
    case skipped

    /// It should be redirected, and nothing is in force.
    case bypassing

    /// Some of what its plan wants is in force.
    case partial

    /// Nobody has looked, or nobody can.
    case unknown
}

/// What somebody who looked into a pod's sandbox saw.
package struct PodObservation: Equatable, Sendable {
    package var state: PodState

    /// One sentence for people.
    package var reason: String

    /// Whose rules are in force: `istio-cni`, `upstream`; empty where none are.
    package var author: String

    package init(_ state: PodState, reason: String, author: String = "") {
        self.state = state
        self.reason = reason
        self.author = author
    }
}

extension PodDirectory {
    /// One pod, and what is known about its redirection.
    package struct Entry: Sendable {
        package internal(set) var pod: NodePod
        package internal(set) var fate = Fate.notAsked
        package internal(set) var containerID = ""
        package internal(set) var outcome: AddReport.Outcome?
        package internal(set) var observation: PodObservation?

        /// A reading of the monotonic clock: since when it has been so.
        package internal(set) var changedMilliseconds = Clock.monotonicMilliseconds()

        /// A pod that was updated keeps what became of it; one with another UID is another pod.
        init(_ pod: NodePod, after before: Entry? = nil) {
            if let before, before.pod.pod.uid == pod.pod.uid {
                self = before
                self.pod = pod
            } else {
                self.pod = pod
            }
        }

        /// Since when an ADD has been under way that was given a plan, on the monotonic clock; nil where none is.
        ///
        /// Repair leaves such a pod alone for a while (architecture, decision 19).
        package var addUnderWaySince: Int? {
            if case .planGiven(let milliseconds) = fate, outcome == nil { milliseconds } else { nil }
        }
    }

    /// What the agent has said about a pod.
    package enum Fate: Equatable, Sendable {
        case notAsked
        case skipped(String)
        case planGiven(atMilliseconds: Int)
        case refused(String)
    }
}

extension PodDirectory.Entry {
    /// The state, why it is that, and by whose rules.
    ///
    /// What was seen in the sandbox counts first, then what the plugin told, then what the agent answered.
    package var summary: PodObservation {
        if let isolation = pod.isolation, pod.pod.skipReason == nil {
            return PodObservation(.unknown, reason: isolation)
        }
        if let observation { return observation }
        if let outcome {
            switch outcome {
            case .redirected:
                return PodObservation(.redirected, reason: "the plugin reported it", author: "istio-cni")
            case .skipped: return PodObservation(.skipped, reason: skipReason)
            case .refused, .tryAgain, .failed:
                return PodObservation(.unknown, reason: "the last ADD ended with \(outcome.rawValue)")
            }
        }
        switch fate {
        case .skipped(let reason): return PodObservation(.skipped, reason: reason)
        case .planGiven: return PodObservation(.unknown, reason: "a plan was given out, and no report has come")
        case .refused(let message): return PodObservation(.unknown, reason: message)
        case .notAsked:
            if let reason = pod.pod.skipReason { return PodObservation(.skipped, reason: reason.rawValue) }
            return PodObservation(.unknown, reason: "no ADD has asked about it")
        }
    }

    private var skipReason: String {
        if case .skipped(let reason) = fate { return reason }
        return pod.pod.skipReason?.rawValue ?? "the plugin reported it"
    }

    /// As `/debug/pods` shows it.
    func value(now: Int) -> JSONValue {
        let summary = summary
        return .object([
            JSONMember("namespace", .string(pod.pod.namespace)),
            JSONMember("name", .string(pod.pod.name)),
            JSONMember("uid", .string(pod.pod.uid)),
            JSONMember("state", .string(summary.state.rawValue)),
            JSONMember("reason", .string(summary.reason)),
            JSONMember("by", .string(summary.author)),
            JSONMember("ageSeconds", .integer((now - changedMilliseconds) / 1_000)),
            JSONMember("containerID", .string(containerID)),
            JSONMember("lastOutcome", outcome.map { outcome in .string(outcome.rawValue) } ?? .null),
        ])
    }
}
