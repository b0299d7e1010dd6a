import Enforcement
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// Pods that start through the chain of a node, several at once, as they do when a node fills up.
final class PodStarts: Sendable {
    let files: NodeFiles
    let sandboxes: [PodNamespace]
    private let host: PodNamespace
    private let progress = Progress()

    /// Half of the pods are of the mesh, in turn.
    init(_ files: NodeFiles, pods count: Int) throws {
        self.files = files
        host = try PodNamespace(NodePod("host", isInMesh: false))
        sandboxes = try (0..<count).map { number in
            try PodNamespace(NodePod("pod-\(number)", isInMesh: number.isMultiple(of: 2)))
        }
        for sandbox in sandboxes { try files.add(sandbox.pod) }
    }

    /// A descriptor of the host's network namespace.
    var hostNetwork: CInt { host.namespace.rawDescriptor }

    /// Runs the ADD of every pod, each with the configuration that is there at its start.
    ///
    /// - Returns: How long each took.
    /// - Throws: What the kubelet would be told of the first that fails.
    func run() async throws -> [Duration] {
        try await withThrowingTaskGroup(of: Duration.self) { group in
            var times: [Duration] = []
            for (number, sandbox) in sandboxes.enumerated() {
                if number >= Self.width, let time = try await group.next() { times.append(time) }
                await progress.start(sandbox.pod)
                group.addTask { try await self.start(sandbox) }
            }
            for try await time in group { times.append(time) }
            return times
        }
    }

    /// Runs the DEL of every pod.
    func end() async throws {
        let chain = try files.chain(host: host.path)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, sandbox) in sandboxes.enumerated() {
                if number >= Self.width { try await group.next() }
                group.addTask { try await chain.delete(sandbox.attachment) }
            }
            try await group.waitForAll()
        }
    }

    /// Waits until so many pods have begun to start.
    func haveStarted(_ count: Int) async throws {
        try await waitUntil("\(count) pods start") { await progress.started >= count }
    }

    /// Waits until several pods of the mesh are on their way, which then need the agent.
    func areWaiting() async throws {
        try await waitUntil("pods of the mesh wait") { await progress.startingInMesh >= 2 }
    }

    private func start(_ sandbox: PodNamespace) async throws -> Duration {
        let start = ContinuousClock.now
        try await files.chain(host: host.path).addOrTakeBack(sandbox.attachment)
        await progress.end(sandbox.pod)
        return ContinuousClock.now - start
    }

    /// As many as a kubelet of a busy node has under way.
    private static let width = 8

    private actor Progress {
        private(set) var started = 0
        private(set) var startingInMesh = 0

        func start(_ pod: NodePod) {
            started += 1
            if pod.isInMesh { startingInMesh += 1 }
        }

        func end(_ pod: NodePod) {
            if pod.isInMesh { startingInMesh -= 1 }
        }
    }
}

/// The network namespace of a pod, without a process.
final class PodNamespace: Sendable {
    let pod: NodePod
    let namespace: NetworkNamespace

    init(_ pod: NodePod) throws(KernelError) {
        self.pod = pod
        namespace = try NetworkNamespace.makeNew()
        try RouteSocket(in: namespace).setLoopbackUp()
    }

    /// A path by which others can open it for as long as this value lives.
    var path: String { "/proc/\(OwnProcess.identifier)/fd/\(namespace.rawDescriptor)" }

    var attachment: CNIAttachment {
        CNIAttachment(pod, containerID: "sandbox-of-\(pod.name)", namespacePath: path)
    }

    /// What in the namespace differs from what the pod needs, with nftables.
    func differences() async throws -> [String] {
        let isFresh = "\(pod.name) is outside the mesh and has rules"
        guard let plan = try plan else {
            return try await onThread { [self] in try Enforcer().evidence(in: namespace).isFresh ? [] : [isFresh] }
        }
        return try await onThread { [self] in
            try Enforcer().drift(from: plan, in: namespace).differences.map { "\(self.pod.name): \($0)" }
        }
    }

    /// What the agent has to answer; nil for a pod outside the mesh.
    private var plan: RedirectPlan? {
        get throws {
            let containers = pod.isInMesh ? [Pod.Container(name: "istio-proxy", arguments: ["proxy", "sidecar"])] : []
            let decision = try Decision(
                pod: Pod(
                    namespace: pod.namespace,
                    name: pod.name,
                    annotations: pod.annotations,
                    containers: containers
                ),
                addresses: ["\(NodeFiles.podNetwork)"],
                backend: .nftables
            )
            guard case .redirect(let plan, _) = decision else { return nil }
            return plan
        }
    }
}
