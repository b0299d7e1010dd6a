package import AgentProtocol
package import CNIProtocol
internal import LinuxKernel
package import Redirect
internal import Synchronization

/// The pods of this node, and what became of each.
///
/// It is filled by a source of pods and asked by the plugin's server, which must not wait for each other
/// longer than a look-up takes.
package final class PodDirectory: Sendable {
    /// A node runs some hundred pods; the limit keeps memory a constant.
    package static let mostPods = 10_000

    private let contents = Mutex(Contents())

    private struct Contents {
        var isComplete = false
        var entries: [Key: Entry] = [:]
    }

    private struct Key: Hashable {
        let namespace: String
        let name: String
    }

    private struct Entry {
        var pod: Pod
        var fate = Fate.notAsked
        var containerID = ""
        var outcome: AddReport.Outcome?

        /// A reading of the monotonic clock.
        var changedMilliseconds = Clock.monotonicMilliseconds()
    }

    /// What the agent has said about a pod.
    private enum Fate: Equatable {
        case notAsked
        case skipped(String)
        case redirectionAnswered
        case refused(String)
    }

    package init() {}

    /// Whether all pods have been read once.
    package var isComplete: Bool { contents.withLock { contents in contents.isComplete } }

    package var count: Int { contents.withLock { contents in contents.entries.count } }

    /// Replaces all pods, and forgets what became of those that are gone or now have another UID.
    package func replaceAll(_ pods: [Pod]) {
        contents.withLock { contents in
            var entries: [Key: Entry] = [:]
            for pod in pods.prefix(Self.mostPods) {
                let key = Key(namespace: pod.namespace, name: pod.name)
                var entry = contents.entries[key] ?? Entry(pod: pod)
                if entry.pod.uid != pod.uid { entry = Entry(pod: pod) }
                entry.pod = pod
                entries[key] = entry
            }
            contents.entries = entries
            contents.isComplete = true
        }
    }

    /// The pod that a request is about.
    package func pod(for request: AddRequest) throws(AddRefusal) -> Pod {
        let name = "\(request.podNamespace)/\(request.podName)"
        let (isComplete, found) = contents.withLock { contents in
            (contents.isComplete, contents.entries[Key(namespace: request.podNamespace, name: request.podName)]?.pod)
        }
        guard let found else {
            throw isComplete
                ? AddRefusal(.podUnknown, "the agent knows no pod \(name)")
                : AddRefusal(.notReady, "the agent has not read its pods yet, so it cannot tell about \(name)")
        }
        guard found.hasUID(request.podUID) else {
            throw AddRefusal(.uidDiffers, "the agent knows a pod \(name), but with the UID \(found.uid)")
        }
        return found
    }

    /// Keeps what was answered to a request.
    package func record(_ answer: Result<AddAnswer, AddRefusal>, to request: AddRequest) {
        change(request.podNamespace, request.podName) { entry in
            entry.containerID = request.containerID
            entry.outcome = nil
            switch answer {
            case .success(.skip(let reason, _)): entry.fate = .skipped(reason)
            case .success(.redirect): entry.fate = .redirectionAnswered
            case .failure(let refusal): entry.fate = .refused(refusal.message)
            }
        }
    }

    /// Keeps how an ADD ended.
    package func record(_ report: AddReport) {
        change(report.podNamespace, report.podName) { entry in
            entry.containerID = report.containerID
            entry.outcome = report.outcome
        }
    }

    private func change(_ namespace: String, _ name: String, _ body: (inout Entry) -> Void) {
        contents.withLock { contents in
            let key = Key(namespace: namespace, name: name)
            guard var entry = contents.entries[key] else { return }
            body(&entry)
            entry.changedMilliseconds = Clock.monotonicMilliseconds()
            contents.entries[key] = entry
        }
    }

    /// Every pod with its state, in the order of namespace and name, for `/debug/pods`.
    package var report: JSONValue {
        let entries = contents.withLock { contents in Array(contents.entries.values) }
        let now = Clock.monotonicMilliseconds()
        let sorted = entries.sorted { left, right in
            (left.pod.namespace, left.pod.name) < (right.pod.namespace, right.pod.name)
        }
        return .object([JSONMember("pods", .array(sorted.map { entry in Self.value(of: entry, now: now) }))])
    }

    private static func value(of entry: Entry, now: Int) -> JSONValue {
        let (state, reason) = state(of: entry)
        return .object([
            JSONMember("namespace", .string(entry.pod.namespace)),
            JSONMember("name", .string(entry.pod.name)),
            JSONMember("uid", .string(entry.pod.uid)),
            JSONMember("state", .string(state)),
            JSONMember("reason", .string(reason)),
            JSONMember("ageSeconds", .integer((now - entry.changedMilliseconds) / 1_000)),
            JSONMember("containerID", .string(entry.containerID)),
            JSONMember("lastOutcome", entry.outcome.map { outcome in .string(outcome.rawValue) } ?? .null),
        ])
    }

    private static func state(of entry: Entry) -> (state: String, reason: String) {
        if let outcome = entry.outcome {
            switch outcome {
            case .redirected: return ("redirected", "the plugin reported it")
            case .skipped: return ("skipped", skipReason(of: entry))
            case .refused, .tryAgain, .failed: return ("unknown", "the last ADD ended with \(outcome.rawValue)")
            }
        }
        switch entry.fate {
        case .skipped(let reason): return ("skipped", reason)
        case .redirectionAnswered: return ("unknown", "a plan was given out, and no report has come")
        case .refused(let message): return ("unknown", message)
        case .notAsked:
            if let reason = entry.pod.skipReason { return ("skipped", reason.rawValue) }
            return ("unknown", "no ADD has asked about it")
        }
    }

    private static func skipReason(of entry: Entry) -> String {
        if case .skipped(let reason) = entry.fate { return reason }
        return entry.pod.skipReason?.rawValue ?? "the plugin reported it"
    }
}

extension Pod {
    /// Whether the runtime's UID is this pod's (architecture, decision 8).
    ///
    /// A static pod has the UID of its file there, and another one in the API server; the annotations connect the two.
    func hasUID(_ uid: String) -> Bool {
        uid.isEmpty || uid == self.uid || uid == annotations["kubernetes.io/config.mirror"]
            || uid == annotations["kubernetes.io/config.hash"]
    }
}
