internal import AgentProtocol
internal import CNIProtocol
internal import LinuxKernel

/// The agent of this node, as one call asks it: one connection a request.
struct AgentConnection {
    let socketPath: String

    init(_ configuration: CNIConfiguration) {
        socketPath = "\(configuration.agentDirectory)/pluginevent.sock"
    }

    /// Why there was no answer that can be used.
    enum Failure: Error {
        /// Nobody is there.
        case away(KernelError)

        /// Somebody was there, and what came back was no answer.
        case broken(String)

        /// The agent said no.
        case refused(AddRefusal)

        var description: String {
            switch self {
            case .away(let error): error.description
            case .broken(let reason): reason
            case .refused(let refusal): refusal.description
            }
        }
    }

    /// Asks once.
    ///
    /// - Parameters:
    ///   - request: Who the pod is.
    ///   - deadline: Until when there must be a connection, on the clock of `Clock.monotonicMilliseconds()`.
    ///   - connected: Called once there is one; says until when the answer may take.
    /// - Returns: The decision.
    /// - Throws: ``Failure``.
    func ask(_ request: AddRequest, deadline: Int, connected: () -> Int) throws(Failure) -> AddAnswer {
        let socket = try connect(deadline: deadline)
        let response = try exchange(HTTPRequestText(request), over: socket, deadline: connected())
        let reply: AddReply
        do throws(MessageError) {
            reply = try AddReply(response)
        } catch {
            throw .broken(error.description)
        }
        switch reply {
        case .answer(let answer): return answer
        case .refusal(let refusal): throw .refused(refusal)
        }
    }

    /// Tells the agent how an ADD ended; nobody waits for long for its receipt.
    func send(_ report: AddReport) throws(Failure) {
        let deadline = Clock.monotonicMilliseconds() + Self.reportMilliseconds
        let socket = try connect(deadline: deadline)
        _ = try exchange(HTTPRequestText(report), over: socket, deadline: deadline)
    }

    /// The runtime waits for this process to end.
    private static let reportMilliseconds = 50

    private func remaining(_ deadline: Int) -> Int { max(0, deadline - Clock.monotonicMilliseconds()) }

    private func connect(deadline: Int) throws(Failure) -> UnixSocket {
        do throws(KernelError) {
            return try UnixSocket(connectingTo: socketPath, deadlineMilliseconds: remaining(deadline))
        } catch {
            throw .away(error)
        }
    }

    private func exchange(
        _ request: HTTPRequestText,
        over socket: borrowing UnixSocket,
        deadline: Int
    ) throws(Failure) -> HTTPResponse {
        do throws(KernelError) {
            try checkPeer(socket)
            try socket.send(request.bytes, deadlineMilliseconds: remaining(deadline))
            return try receive(from: socket, deadline: deadline)
        } catch {
            throw .broken(error.description)
        }
    }

    /// Whoever else binds this path must not be able to switch redirection off.
    private func checkPeer(_ socket: borrowing UnixSocket) throws(KernelError) {
        let peer = try socket.peerUser()
        guard peer == 0 || peer == OwnProcess.effectiveUser else {
            let explanation = "it belongs to uid \(peer), not to the agent"
            throw KernelError("ask \(socketPath)", .notPermitted, explanation: explanation)
        }
    }

    /// Reads until the answer is whole; the agent need not close the connection for that.
    private func receive(from socket: borrowing UnixSocket, deadline: Int) throws(KernelError) -> HTTPResponse {
        var bytes: [UInt8] = []
        while true {
            let part = try socket.receive(deadlineMilliseconds: remaining(deadline))
            bytes += part
            do throws(HTTPError) {
                return try HTTPResponse(bytes, isAtEnd: part.isEmpty)
            } catch {
                guard error == .incomplete, !part.isEmpty, bytes.count < HTTPResponse.longestBytes else {
                    throw KernelError("read the agent's answer", .badMessage, explanation: error.description)
                }
            }
        }
    }
}

extension CNIConfiguration {
    /// Where the agent's sockets are, and the plugin's own log.
    ///
    /// An entry that does not say means the chart's directory, and not the root of the host's file system.
    var agentDirectory: String { runDirectory.isEmpty ? "/var/run/istio-cni" : runDirectory }
}
