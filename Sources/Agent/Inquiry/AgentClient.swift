internal import AgentProtocol
package import CNIProtocol
package import LinuxKernel

/// Asks the agent of this node, over its socket, what a person wants to know.
package struct AgentClient: Sendable {
    package let socketPath: String

    package init(runDirectory: String) { socketPath = "\(runDirectory)/\(PluginServer.socketName)" }

    package enum Failure: Error, CustomStringConvertible {
        /// Nobody is there.
        case away(KernelError)

        /// Somebody was there, and what came back was no answer.
        case broken(path: String, reason: String)

        package var description: String {
            switch self {
            case .away(let error):
                "no agent answers: \(error.description). Is it running on this node, and is this its run directory "
                    + "(--cni-agent-run-dir)? Only root may ask. "
                    + "kubectl get pods --all-namespaces --selector k8s-app=istio-cni-node --output wide shows the agents"
            case .broken(let path, let reason): "the agent at \(path) gave no answer: \(reason)"
            }
        }
    }

    /// The longest report: 10,000 pods with a sentence each.
    private static let longestReportBytes = 16 * 1_024 * 1_024

    /// A person waits no longer, and an agent that is well answers in milliseconds.
    private static let deadlineMilliseconds = 5_000

    /// Asks once.
    ///
    /// - Parameter path: A literal of this project.
    /// - Returns: The agent's answer.
    /// - Throws: Why there is none.
    package func get(_ path: String) throws(Failure) -> JSONValue {
        let response = try response(to: path)
        guard response.status == 200 else {
            throw .broken(path: socketPath, reason: "status \(response.status) for \(path)")
        }
        do throws(JSONError) {
            var limits = JSONLimits()
            limits.bytes = Self.longestReportBytes
            return try JSONValue(parsing: response.body, limits: limits)
        } catch {
            throw .broken(path: socketPath, reason: "\(error)")
        }
    }

    /// Whether whoever listens also answers; true where nobody listens, which others see to.
    var isAnswering: Bool {
        do throws(Failure) {
            _ = try response(to: "/v1/status")
            return true
        } catch {
            if case .away = error { return true }
            return false
        }
    }

    private func response(to path: String) throws(Failure) -> HTTPResponse {
        let socket: UnixSocket
        do throws(KernelError) {
            socket = try UnixSocket(connectingTo: socketPath, deadlineMilliseconds: Self.deadlineMilliseconds)
        } catch {
            throw .away(error)
        }
        do throws(KernelError) {
            let bytes = try exchange(HTTPRequestText(get: path).bytes, over: socket)
            return try parse(bytes)
        } catch {
            throw .broken(path: socketPath, reason: error.description)
        }
    }

    private func exchange(_ request: [UInt8], over socket: borrowing UnixSocket) throws(KernelError) -> [UInt8] {
        try socket.send(request, deadlineMilliseconds: Self.deadlineMilliseconds)
        return try socket.receiveToEnd(
            byteLimit: Self.longestReportBytes,
            deadlineMilliseconds: Self.deadlineMilliseconds
        )
    }

    private func parse(_ bytes: [UInt8]) throws(KernelError) -> HTTPResponse {
        do throws(HTTPError) {
            return try HTTPResponse(bytes, isAtEnd: true, bodyLimit: Self.longestReportBytes)
        } catch {
            throw KernelError("read the agent's answer", .badMessage, explanation: error.description)
        }
    }
}
