import AgentProtocol
import CNIProtocol
import Foundation
import LinuxKernel
import TestSupport
import Testing

/// Architecture, decision 16: whatever comes, memory is a constant, nothing is lost, and who comes too late is told.
///
/// The agent is a process of its own, so that its memory is its own.
@Suite(.timeLimit(.minutes(5))) struct LimitTests {
    /// The most memory that the agent may ever have, in KiB.
    ///
    /// A build for debugging needs some 45 MiB for itself.
    static let ceilingKibibytes = 96 * 1_024

    @Test func `ten thousand pods and 500 ADDs at once stay under the ceiling, and each ADD has its answer`()
        async throws
    {
        let directory = try Scratch()
        for number in 0..<10_000 {
            let text = Sample.pod(uid: "u\(number)").replacing(#""name":"cart""#, with: #""name":"cart-\#(number)""#)
            try Data(text.utf8).write(to: directory.pods.appending(path: "\(number).json"))
        }
        let agent = try directory.startAgent()
        try await agent.waitUntilServing()
        try await eventually("all pods are read") { try await directory.status(agent)["pods"]?.integer == 10_000 }

        let answers = try await withThrowingTaskGroup(of: AddReply.self) { group in
            for number in 0..<500 {
                group.addTask {
                    var request = Sample.request
                    request.podName = "cart-\(number * 20)"
                    request.podUID = "u\(number * 20)"
                    return try await directory.ask(request, agent)
                }
            }
            return try await group.reduce(into: []) { answers, answer in answers.append(answer) }
        }

        var plans = 0
        for answer in answers { if case .answer(.redirect) = answer { plans += 1 } }
        #expect(plans == 500)
        let peak = try agent.kibibytes("VmHWM")
        print("limits: 10,000 pods and 500 ADDs at once: \(peak / 1_024) MiB at most")
        #expect(peak <= Self.ceilingKibibytes)
        agent.kill(SIGTERM)
        #expect(try await agent.waitForEnd() == .exit(0))
    }

    @Test func `pods past the limit are named in the log, and the agent goes on`() async throws {
        let directory = try Scratch()
        for number in 0..<10_001 {
            let text = #"{"metadata":{"namespace":"shop","name":"p\#(number)"}}"#
            try Data(text.utf8).write(to: directory.pods.appending(path: "\(number).json"))
        }
        let agent = try directory.startAgent()
        try await agent.waitUntilServing()

        try await eventually("as many as may be are read") {
            try await directory.status(agent)["pods"]?.integer == 10_000
        }
        #expect(try agent.log.contains("there are more pods than the agent takes"))
    }

    /// A directory of pods and a run directory, gone with the value.
    final class Scratch: Sendable {
        let root = URL(filePath: "/tmp/limits-\(UInt32.random(in: .min ... .max))")
        var pods: URL { root.appending(path: "pods") }

        init() throws {
            try FileManager.default.createDirectory(at: pods, withIntermediateDirectories: true)
        }

        deinit {
            // Under /tmp, which is cleared anyway.
            try? FileManager.default.removeItem(at: root)
        }

        func startAgent() throws -> AgentProcess {
            let source = pods.path(percentEncoded: false)
            return try AgentProcess(
                runDirectory: root.appending(path: "run").path(percentEncoded: false),
                arguments: ["--pod-source=directory:\(source)", "--skip-install"]
            )
        }

        func ask(_ request: AddRequest, _ agent: AgentProcess) async throws -> AddReply {
            try AddReply(try await response(HTTPRequestText(request), agent))
        }

        func status(_ agent: AgentProcess) async throws -> JSONValue {
            try JSONValue(parsing: try await response(HTTPRequestText(get: "/v1/status"), agent).body)
        }

        private func response(_ request: HTTPRequestText, _ agent: AgentProcess) async throws -> HTTPResponse {
            let path = agent.pluginSocket
            return try await onThread {
                let socket = try UnixSocket(connectingTo: path, deadlineMilliseconds: 60_000)
                try socket.send(request.bytes, deadlineMilliseconds: 60_000)
                let bytes = try socket.receiveToEnd(
                    byteLimit: HTTPResponse.longestBytes,
                    deadlineMilliseconds: 60_000
                )
                return try HTTPResponse(bytes, isAtEnd: true)
            }
        }
    }
}
