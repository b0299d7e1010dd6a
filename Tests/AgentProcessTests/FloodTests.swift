import AgentProtocol
import CNIProtocol
import Foundation
import HTTPTestSupport
import LinuxKernel
import TestSupport
import Testing

extension AgentProcessTests {
    /// Architecture, decision 16, with the API server as the source of pods: memory has a ceiling, and nothing is lost.
    @Suite struct FloodTests {
        /// The most memory that the agent may ever have, in KiB.
        ///
        /// A build for debugging needs some 45 MiB for itself.
        static let ceilingKibibytes = 96 * 1_024

        /// A pod of some 10 KB, as real ones are.
        static func pod(_ number: Int, note: String) -> JSONValue {
            TestPod.object(
                "cart-\(number)",
                uid: "u\(number)",
                annotations: ["sidecar.istio.io/status": "{}", "note": note]
            )
        }

        static let note = String(repeating: "x", count: 10_000)

        @Test func `a list of 50 MB and a watch that floods stay under the ceiling, and nothing is lost`() async throws
        {
            let node = try ClusterNode()
            try await ScriptedServer.run { server in
                for number in 0..<5_000 { server.put(Self.pod(number, note: Self.note)) }
                let agent = try node.startAgent(serverPort: server.port, environment: ["REPAIR_ENABLED=false"])
                try await node.waitUntilReady(agent)
                let afterList = try agent.kibibytes("VmHWM")

                try await node.eventually("the watch is there", agent) { server.watchCount == 1 }
                for round in 0..<3 {
                    for number in 0..<1_000 { server.put(Self.pod(number, note: Self.note + "\(round)")) }
                }
                for number in 0..<100 { server.remove(TestPod.path("cart-\(number)")) }

                try await node.eventually("every change has arrived", agent) { try await pods(agent) == 4_900 }
                guard case .answer(.redirect) = try await ask(about: 4_999, agent) else {
                    Issue.record("a pod of the list is lost")
                    return
                }
                let peak = try agent.kibibytes("VmHWM")
                print("floods: \(afterList / 1_024) MiB after a list of 50 MB, \(peak / 1_024) MiB after 3,100 changes")
                #expect(peak <= Self.ceilingKibibytes)
                // The pods that the watch has shown cost no request: all GETs are lists and watches.
                #expect(server.count("GET", containing: "/pods/") == 0)
                agent.kill(SIGKILL)
            }
        }

        @Test func `eight look-ups that hang hold nobody up whose pod is known, and late callers are told at once`()
            async throws
        {
            let node = try ClusterNode()
            try await ScriptedServer.run { server in
                server.put(Self.pod(1, note: ""))
                let agent = try node.startAgent(serverPort: server.port)
                try await node.waitUntilReady(agent)
                server.always(.hang, containing: "/pods/unknown")

                try await withThrowingTaskGroup(of: AddReply.self) { group in
                    for number in 0..<20 {
                        group.addTask { try await ask(about: number, name: "unknown-\(number)", agent) }
                    }
                    try await node.eventually("look-ups hang", agent) {
                        server.count("GET", containing: "/pods/unknown") == 4
                    }
                    guard case .answer(.redirect) = try await ask(about: 1, agent) else {
                        Issue.record("a known pod has no answer")
                        return
                    }
                    // Four ask at once and eight wait; the other eight are told to try again.
                    var refusals = 0
                    for try await reply in group {
                        if case .refusal(let refusal) = reply, refusal.reason == .notReady { refusals += 1 }
                    }
                    #expect(refusals == 20)
                }
                agent.kill(SIGKILL)
            }
        }

        private func pods(_ agent: AgentProcess) async throws -> Int? {
            let response = try await exchange(HTTPRequestText(get: "/v1/status"), agent)
            return try JSONValue(parsing: response.body)["pods"]?.integer
        }

        private func ask(about number: Int, name: String? = nil, _ agent: AgentProcess) async throws -> AddReply {
            let request = AddRequest(
                podNamespace: "shop",
                podName: name ?? "cart-\(number)",
                podUID: "u\(number)",
                containerID: "c\(number)",
                ips: ["10.0.0.2/24"]
            )
            return try AddReply(try await exchange(HTTPRequestText(request), agent))
        }

        private func exchange(_ request: HTTPRequestText, _ agent: AgentProcess) async throws -> HTTPResponse {
            let path = agent.pluginSocket
            return try await onThread {
                let socket = try UnixSocket(connectingTo: path, deadlineMilliseconds: 60_000)
                try socket.send(request.bytes, deadlineMilliseconds: 60_000)
                let bytes = try socket.receiveToEnd(byteLimit: HTTPResponse.longestBytes, deadlineMilliseconds: 60_000)
                return try HTTPResponse(bytes, isAtEnd: true)
            }
        }
    }
}
