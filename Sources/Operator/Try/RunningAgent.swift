internal import AgentProtocol
internal import LinuxKernel

/// The real agent, on one directory with one pod.
struct RunningAgent {
    private let program: HelperProgram
    private let socketPath: String

    /// Starts the agent, and waits until its socket takes connections.
    init(program path: String, podDirectory: String, runDirectory: String) throws(TryError) {
        guard ExecutableFile.isPresent(path) else { throw TryError("there is no \(path); run make build") }
        var program = BackgroundProgram(
            path,
            ["--pod-source=directory:\(podDirectory)", "--cni-agent-run-dir=\(runDirectory)", "--skip-install"],
            environment: [SystemPrograms.searchPath, "KUBERNETES_NODE_NAME=istio-cnictl-try"]
        )
        // In a user namespace the only user need not be 0.
        program.keepsCapabilities = true
        let socketPath = "\(runDirectory)/pluginevent.sock"
        self.socketPath = socketPath
        self.program = try HelperProgram("the agent", program)
        try self.program.waitUntilReady { () throws(KernelError) in
            _ = try UnixSocket(connectingTo: socketPath, deadlineMilliseconds: 100)
            return true
        }
    }

    /// Asks for the plan, as the plugin does.
    func plan(for pod: PodManifest, addresses: [String]) throws(TryError) -> AddAnswer {
        let request = AddRequest(
            podNamespace: pod.namespace,
            podName: pod.name,
            podUID: pod.uid,
            containerID: PluginChain.containerID,
            ips: addresses
        )
        let bytes = try explaining("ask the agent for the plan") { () throws(KernelError) in
            let socket = try UnixSocket(connectingTo: socketPath, deadlineMilliseconds: Self.answerMilliseconds)
            try socket.send(HTTPRequestText(request).bytes, deadlineMilliseconds: Self.answerMilliseconds)
            return try socket.receiveToEnd(
                byteLimit: HTTPResponse.longestBytes,
                deadlineMilliseconds: Self.answerMilliseconds
            )
        }
        do {
            switch try AddReply(try HTTPResponse(bytes, isAtEnd: true)) {
            case .answer(let answer): return answer
            case .refusal(let refusal): throw TryError("the agent refused: \(refusal.description)")
            }
        } catch let error as TryError {
            throw error
        } catch {
            throw TryError("the agent's answer cannot be read: \(error)")
        }
    }

    func stop() { program.stop() }

    private static let answerMilliseconds = 5_000
}
