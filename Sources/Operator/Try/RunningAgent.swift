internal import AgentProtocol
internal import LinuxKernel

/// The real agent, on one directory with one pod.
struct RunningAgent {
    private let process: BackgroundProcess
    private let output: MemoryFile
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
        socketPath = "\(runDirectory)/pluginevent.sock"
        let (output, process) = try explaining("start the agent") { () throws(KernelError) in
            let output = try MemoryFile()
            return (output, try program.start(error: output))
        }
        self.output = output
        self.process = process
        try waitForSocket()
    }

    private func waitForSocket() throws(TryError) {
        let deadline = Clock.monotonicMilliseconds() + Self.startMilliseconds
        while true {
            var problem: String
            do throws(KernelError) {
                _ = try UnixSocket(connectingTo: socketPath, deadlineMilliseconds: 100)
                return
            } catch {
                problem = error.description
            }
            let ending = try explaining("watch the agent") { () throws(KernelError) in
                try process.wait(milliseconds: Self.pauseMilliseconds)
            }
            if let ending {
                throw TryError("the agent ended at once (\(ending)): \(lastWords)")
            }
            guard Clock.monotonicMilliseconds() < deadline else {
                problem += "; it said: \(lastWords)"
                throw TryError("the agent's socket did not come within \(Self.startMilliseconds / 1_000) s: \(problem)")
            }
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

    func stop() { process.end(milliseconds: Self.stopMilliseconds) }

    private var lastWords: String {
        // What cannot be read is not shown; the error it belongs to is.
        let bytes = (try? output.contents(byteLimit: Self.outputBytes)) ?? []
        let text = String(decoding: bytes.suffix(Self.lastWordsBytes), as: UTF8.self)
        return text.isEmpty ? "nothing" : text
    }

    /// Much longer than it takes on a busy machine.
    private static let startMilliseconds = 15_000
    private static let pauseMilliseconds = 5
    private static let answerMilliseconds = 5_000
    private static let stopMilliseconds = 2_000
    private static let outputBytes = 16 * 1_024 * 1_024
    private static let lastWordsBytes = 1_000
}
