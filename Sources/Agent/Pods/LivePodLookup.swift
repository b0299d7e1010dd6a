package import AgentProtocol
internal import CNIProtocol
package import Kubernetes
internal import Synchronization

/// Asks the API server for one pod that the watch has not shown yet.
///
/// Look-ups have a small pool of their own, so that a slow API server cannot hold up the node: who would wait too long
/// is told so at once, and the plugin asks again (architecture, decision 16).
package final class LivePodLookup: Sendable {
    /// The most requests at once.
    package static let mostAtOnce = 4

    /// The most look-ups that wait for those: two more rounds, so that an answer comes within 6 s or not at all.
    package static let mostWaiting = 8

    /// How long one request may take: what a plugin has left after it is worth another try.
    package static let requestLimit = Duration.seconds(2)

    private let client: KubernetesClient
    private let node: String
    private let pods: PodDirectory
    private let annotations: Set<String>
    private let requestLimit: Duration
    private let state = Mutex(State())

    private struct Key: Hashable {
        let namespace: String
        let name: String
    }

    private typealias Answer = Result<NodePod?, AddRefusal>

    private struct State {
        /// By the pod they are about: whoever asks for the same pod waits for the same answer.
        var lookups: [Key: Task<Answer, Never>] = [:]
        var free = LivePodLookup.mostAtOnce
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// Makes a look-up for the pods of one node, which keeps what it finds in `pods`.
    package init(
        client: KubernetesClient,
        node: String,
        pods: PodDirectory,
        keeping annotations: Set<String> = [],
        requestLimit: Duration = LivePodLookup.requestLimit
    ) {
        self.client = client
        self.node = node
        self.pods = pods
        self.requestLimit = requestLimit
        self.annotations = annotations
    }

    /// How many pods are being asked for, those that wait included.
    package var count: Int { state.withLock { state in state.lookups.count } }

    /// The pod as the API server has it now, or nil if there is none on this node.
    package func pod(namespace: String, name: String) async throws(AddRefusal) -> NodePod? {
        let key = Key(namespace: namespace, name: name)
        let lookup = state.withLock { state -> Task<Answer, Never>? in
            if let lookup = state.lookups[key] { return lookup }
            guard state.lookups.count < Self.mostAtOnce + Self.mostWaiting else { return nil }
            // Not a child of the caller: others wait for it too.
            let lookup = Task { await run(key) }
            state.lookups[key] = lookup
            return lookup
        }
        guard let lookup else {
            throw AddRefusal(
                .notReady,
                "the agent does not know pod \(namespace)/\(name) yet, and too many look-ups wait for the API server"
            )
        }
        return try await lookup.value.get()
    }

    private func run(_ key: Key) async -> Answer {
        await takePlace()
        let answer: Answer
        do throws(AddRefusal) {
            let start = pods.now
            let found = try await ask(key)
            // From here on, so that the report of its ADD finds it; the watch is about to say the same.
            if let found { pods.keep(found, lookedUpSince: start) }
            answer = .success(found)
        } catch {
            answer = .failure(error)
        }
        leavePlace(key)
        return answer
    }

    private func ask(_ key: Key) async throws(AddRefusal) -> NodePod? {
        guard let path = ResourcePath.pod(key.name, in: key.namespace) else { return nil }
        let pod = "\(key.namespace)/\(key.name)"
        let object: JSONValue
        do throws(APIError) {
            object = try await client.get(path, within: requestLimit)
        } catch {
            guard error.status?.code != 404 else { return nil }
            throw AddRefusal(.notReady, "pod \(pod): \(error.description)")
        }
        // The name may have gone to a pod of another node, which this node's watch would never take away again.
        guard object["spec"]?["nodeName"]?.string == node else { return nil }
        do throws(PodError) {
            return try NodePod(object, keeping: annotations)
        } catch {
            throw AddRefusal(.badPod, "pod \(pod): \(error.description)")
        }
    }

    private func takePlace() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free > 0 else {
                    state.waiting.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    private func leavePlace(_ key: Key) {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.lookups[key] = nil
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
