import Foundation
package import LinuxKernel

/// Pods that start through the chain of a node, many at once, as they do when a node fills up.
package final class PodStarts: Sendable {
    package let node: NodeFolder
    package let sandboxes: [PodNamespace]
    private let host: PodNamespace
    private let progress = Progress()

    /// Half of the pods are of the mesh, in turn.
    package init(_ node: NodeFolder, pods count: Int) throws {
        self.node = node
        host = try PodNamespace(RuntimePod("host", isInMesh: false))
        sandboxes = try (0..<count).map { number in
            try PodNamespace(RuntimePod("pod-\(number)", isInMesh: number.isMultiple(of: 2)))
        }
        for sandbox in sandboxes { try node.add(sandbox.pod) }
    }

    /// A descriptor of the host's network namespace.
    package var hostNetwork: CInt { host.namespace.rawDescriptor }

    /// How fast pods come.
    package enum Pace: Sendable {
        /// Another one when one has started: as fast as the machine goes.
        case atOnce(Int)

        /// One after each pause, whatever became of those before.
        case every(Duration)
    }

    /// How long the start of a pod took.
    package struct Start: Sendable {
        package let pod: RuntimePod
        package let duration: Duration
    }

    /// Runs the ADD of every pod, each with the configuration that is there at its start.
    ///
    /// - Parameters:
    ///   - pace: How fast they come.
    ///   - restarts: How often ``restart(_:times:_:)`` ends the agent meanwhile; pods keep an equal distance to that.
    /// - Returns: The start of each.
    /// - Throws: What the kubelet would be told of the first that fails.
    package func run(_ pace: Pace, restarts: Int = 0) async throws -> [Start] {
        try await withThrowingTaskGroup(of: Start.self) { group in
            var starts: [Start] = []
            for (number, sandbox) in sandboxes.enumerated() {
                switch pace {
                case .atOnce(let width):
                    if number >= width, let start = try await group.next() { starts.append(start) }
                case .every(let pause): try await Task.sleep(for: pause)
                }
                let due = number * (restarts + 1) / sandboxes.count
                try await waitUntil("the agent is ended \(due) times") { await progress.restarts >= due }
                await progress.start(sandbox.pod)
                group.addTask { try await self.start(sandbox) }
            }
            for try await start in group { starts.append(start) }
            return starts
        }
    }

    /// Runs the DEL of every pod.
    package func end() async throws {
        let chain = try node.chain(host: host.path)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, sandbox) in sandboxes.enumerated() {
                if number >= Self.endsAtOnce { try await group.next() }
                group.addTask { try await chain.delete(sandbox.attachment) }
            }
            try await group.waitForAll()
        }
    }

    /// Ends the agent again and again while pods start, politely (`SIGTERM`) and not (`SIGKILL`) in turn, and starts
    /// it once pods of the mesh wait for it.
    ///
    /// - Parameters:
    ///   - first: The agent that runs.
    ///   - times: How often.
    ///   - start: Starts another one.
    /// - Returns: The last one.
    /// - Throws: An agent that does not end or come, or pods that do not start.
    package func restart(
        _ first: RunningProgram,
        times: Int,
        _ start: () async throws -> RunningProgram
    ) async throws -> RunningProgram {
        var agent = first
        for number in 1...times {
            let pods = number * sandboxes.count / (times + 1)
            try await waitUntil("\(pods) pods start") { await progress.started >= pods }
            agent.send(number.isMultiple(of: 2) ? SIGKILL : SIGTERM)
            _ = try await agent.ending()
            await progress.restart()
            try await waitUntil("pods of the mesh wait") { await progress.startingInMesh >= 2 }
            agent = try await start()
        }
        return agent
    }

    private func start(_ sandbox: PodNamespace) async throws -> Start {
        let start = ContinuousClock.now
        try await node.chain(host: host.path).addOrTakeBack(sandbox.attachment)
        await progress.end(sandbox.pod)
        return Start(pod: sandbox.pod, duration: ContinuousClock.now - start)
    }

    private static let endsAtOnce = 8

    private actor Progress {
        private(set) var started = 0
        private(set) var startingInMesh = 0
        private(set) var restarts = 0

        func restart() { restarts += 1 }

        func start(_ pod: RuntimePod) {
            started += 1
            if pod.isInMesh { startingInMesh += 1 }
        }

        func end(_ pod: RuntimePod) {
            if pod.isInMesh { startingInMesh -= 1 }
        }
    }
}

/// The network namespace of a pod, without a process.
package final class PodNamespace: Sendable {
    package let pod: RuntimePod
    package let namespace: NetworkNamespace

    package init(_ pod: RuntimePod) throws(KernelError) {
        self.pod = pod
        namespace = try NetworkNamespace.makeNew()
        try RouteSocket(in: namespace).setLoopbackUp()
    }

    /// A path by which others can open it for as long as this value lives.
    package var path: String { "/proc/\(OwnProcess.identifier)/fd/\(namespace.rawDescriptor)" }

    package var attachment: CNIAttachment {
        CNIAttachment(pod, containerID: "sandbox-of-\(pod.name)", namespacePath: path)
    }
}
