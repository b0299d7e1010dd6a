package import AgentProtocol
package import CNIProtocol
internal import LinuxKernel
internal import Redirect
internal import Synchronization

/// The pods of this node, and what became of each.
///
/// It is filled by a source of pods, asked by the plugin's server, and told by repair what is in force; none of them
/// must wait for another longer than a look-up takes.
package final class PodDirectory: Sendable {
    /// A node runs some hundred pods; the limit keeps memory a constant.
    package static let mostPods = 10_000

    private let contents = Mutex(Contents())

    private struct Contents {
        var isComplete = false
        var entries: [Key: Entry] = [:]
        var departures = Departures()
    }

    private struct Key: Hashable {
        let namespace: String
        let name: String

        init(_ namespace: String, _ name: String) {
            self.namespace = namespace
            self.name = name
        }

        init(_ pod: NodePod) { self.init(pod.pod.namespace, pod.pod.name) }
    }

    package init() {}

    /// Whether all pods have been read once.
    package var isComplete: Bool { contents.withLock { contents in contents.isComplete } }

    package var count: Int { contents.withLock { contents in contents.entries.count } }

    /// Every pod as it is known now, in the order of namespace and name.
    package var entries: [Entry] {
        contents.withLock { contents in Array(contents.entries.values) }.sorted { left, right in
            (left.pod.pod.namespace, left.pod.pod.name) < (right.pod.pod.namespace, right.pod.pod.name)
        }
    }
}

// MARK: - The source of pods

extension PodDirectory {
    /// Replaces all pods, and forgets what became of those that are gone or now have another UID.
    package func replaceAll(_ pods: [NodePod]) {
        contents.withLock { contents in
            var entries: [Key: Entry] = [:]
            for pod in pods.prefix(Self.mostPods) {
                entries[Key(pod)] = Entry(pod, after: contents.entries[Key(pod)])
            }
            contents.entries = entries
            contents.departures.noteList()
            contents.isComplete = true
        }
    }

    /// Takes in a pod that is new or has changed.
    ///
    /// - Returns: False if there is no room for it; it is then looked up when the plugin asks.
    @discardableResult
    package func update(_ pod: NodePod) -> Bool {
        contents.withLock { contents in
            let before = contents.entries[Key(pod)]
            guard before != nil || contents.entries.count < Self.mostPods else { return false }
            contents.entries[Key(pod)] = Entry(pod, after: before)
            return true
        }
    }

    /// Forgets a pod that is gone; another one that took its name stays.
    package func remove(namespace: String, name: String, uid: String) {
        contents.withLock { contents in
            // One that is not known may be just being looked up.
            contents.departures.note(uid: uid)
            let key = Key(namespace, name)
            guard contents.entries[key]?.pod.pod.uid == uid else { return }
            contents.entries[key] = nil
        }
    }
}

// MARK: - Live look-ups

extension PodDirectory {
    /// The moment at which a look-up of one pod begins.
    package var now: Departures.Moment { contents.withLock { contents in contents.departures.now } }

    /// Takes in a pod that was looked up, unless it may be gone or the source of pods has told of it meanwhile.
    ///
    /// What is left out is missing in `/debug/pods` only until the source tells of it.
    package func keep(_ pod: NodePod, lookedUpSince moment: Departures.Moment) {
        contents.withLock { contents in
            let before = contents.entries[Key(pod)]
            guard before?.pod.pod.uid != pod.pod.uid, contents.departures.excludes(pod.pod.uid, since: moment),
                before != nil || contents.entries.count < Self.mostPods
            else { return }
            contents.entries[Key(pod)] = Entry(pod, after: before)
        }
    }
}

// MARK: - The plugin's server

extension PodDirectory {
    /// The pod that a request is about.
    package func pod(for request: AddRequest) throws(AddRefusal) -> NodePod {
        let name = "\(request.podNamespace)/\(request.podName)"
        let (isComplete, found) = contents.withLock { contents in
            (contents.isComplete, contents.entries[Key(request.podNamespace, request.podName)]?.pod)
        }
        guard let found else {
            throw isComplete
                ? AddRefusal(.podUnknown, "the agent knows no pod \(name)")
                : AddRefusal(.notReady, "the agent has not read its pods yet, so it cannot tell about \(name)")
        }
        try found.check(request)
        return found
    }

    /// Keeps what was answered to a request.
    package func record(_ answer: Result<AddAnswer, AddRefusal>, to request: AddRequest) {
        change(request.podNamespace, request.podName) { entry in
            entry.containerID = request.containerID
            entry.outcome = nil
            // A new sandbox: what was seen in the one before says nothing about it.
            entry.observation = nil
            switch answer {
            case .success(.skip(let reason, _)): entry.fate = .skipped(reason)
            case .success(.redirect): entry.fate = .planGiven(atMilliseconds: Clock.monotonicMilliseconds())
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
            let key = Key(namespace, name)
            guard var entry = contents.entries[key] else { return }
            body(&entry)
            entry.changedMilliseconds = Clock.monotonicMilliseconds()
            contents.entries[key] = entry
        }
    }
}

// MARK: - Repair

extension PodDirectory {
    /// Keeps what is in force in a pod's sandbox, unless the name now belongs to another pod.
    package func record(_ observation: PodObservation, of pod: NodePod) {
        contents.withLock { contents in
            guard var entry = contents.entries[Key(pod)], entry.pod.pod.uid == pod.pod.uid else { return }
            if entry.observation?.state != observation.state {
                entry.changedMilliseconds = Clock.monotonicMilliseconds()
            }
            entry.observation = observation
            contents.entries[Key(pod)] = entry
        }
    }
}

extension PodDirectory {
    /// How many pods are in each state, those with none included.
    package var counts: [PodState: Int] {
        var counts = Dictionary(uniqueKeysWithValues: PodState.allCases.map { state in (state, 0) })
        for entry in contents.withLock({ contents in Array(contents.entries.values) }) {
            counts[entry.summary.state, default: 0] += 1
        }
        return counts
    }

    /// Every pod with its state, for `/debug/pods`.
    package var report: JSONValue {
        let now = Clock.monotonicMilliseconds()
        return .object([JSONMember("pods", .array(entries.map { entry in entry.value(now: now) }))])
    }
}

extension NodePod {
    /// Throws unless it is the pod that a request is about, and not only one of the same name.
    func check(_ request: AddRequest) throws(AddRefusal) {
        guard pod.hasUID(request.podUID) else {
            throw AddRefusal(.uidDiffers, "the agent knows a pod \(fullName), but with the UID \(pod.uid)")
        }
    }
}

extension Pod {
    /// Whether the runtime's UID is this pod's (architecture, decision 8).
    ///
    /// A static pod has the UID of its file there, and another one in the API server; the annotations connect the two.
    func hasUID(_ uid: String) -> Bool {
        uid.isEmpty || uid == self.uid || Self.uidAnnotations.contains { name in uid == annotations[name] }
    }
}
