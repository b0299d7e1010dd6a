import Foundation
import HTTPTestSupport
import LinuxKernel
import TestSupport
import Testing

extension AgentProcessTests {
    /// Architecture, decision 11, with the whole agent: what SIGTERM leaves on the node.
    @Suite struct DepartureTests {
        enum Situation: String, CaseIterable {
            case upgrade, deleted, gone, unauthorized, freshToken, serverError, timeOut, noRoute, nodeNoLongerMatched
            case forbidden, forbiddenAndPodGone, forbiddenAndPodForbidden, forbiddenAndPodUnauthorized
            case forbiddenAndNodeNoLongerMatched

            var keeps: Bool {
                switch self {
                case .upgrade, .freshToken, .serverError, .timeOut, .noRoute, .forbidden, .forbiddenAndPodGone: true
                case .deleted, .gone, .unauthorized, .nodeNoLongerMatched, .forbiddenAndPodForbidden: false
                case .forbiddenAndPodUnauthorized, .forbiddenAndNodeNoLongerMatched: false
                }
            }

            /// Makes the API server answer as this situation has it; the agent is ready by now.
            func stage(_ server: ScriptedServer, _ node: ClusterNode) async throws {
                switch self {
                case .upgrade: break
                case .deleted: try server.putAgent(isDeleted: true)
                case .gone: server.remove(ScriptedServer.daemonSetPath)
                case .unauthorized: server.accept(tokens: [])
                case .freshToken:
                    server.accept(tokens: ["token-2"])
                    try node.setToken("token-2")
                case .serverError: server.always(.status(503), containing: "daemonsets")
                case .timeOut: server.always(.hang, containing: "daemonsets")
                case .noRoute: await server.stop()
                case .nodeNoLongerMatched: try server.putAgent(nodeLabels: #"{"os":"other"}"#)
                case .forbidden: server.always(.status(403), containing: "daemonsets")
                case .forbiddenAndPodGone:
                    server.always(.status(403), containing: "daemonsets")
                    server.remove(ScriptedServer.ownPodPath)
                case .forbiddenAndPodForbidden:
                    server.always(.status(403), containing: "daemonsets")
                    server.always(.status(403), containing: "/pods/istio-cni-node-x")
                case .forbiddenAndPodUnauthorized:
                    server.always(.status(403), containing: "daemonsets")
                    server.always(.status(401), containing: "/pods/istio-cni-node-x")
                case .forbiddenAndNodeNoLongerMatched:
                    server.always(.status(403), containing: "daemonsets")
                    try server.putAgent(nodeLabels: #"{"os":"other"}"#)
                }
            }
        }

        @Test(arguments: Situation.allCases)
        func `SIGTERM removes the plugin only where the API server says so`(situation: Situation) async throws {
            let node = try ClusterNode()
            try await ScriptedServer.run { server in
                try server.putAgent()
                let agent = try node.startAgent(serverPort: server.port)
                try await node.waitUntilReady(agent)
                #expect(try node.entries() == 1)
                try await situation.stage(server, node)

                agent.kill(SIGTERM)

                #expect(try await agent.waitForEnd() == .exit(0))
                #expect(try node.entries() == (situation.keeps ? 1 : 0), "\(agent.story)")
                #expect(try node.text("bin/istio-cni") == "the plugin", "the binary stays for pods that end later")
                if !situation.keeps {
                    #expect(try node.text("net.d/10-primary.conflist") == ClusterNode.primary)
                    #expect(try node.names(in: "net.d") == ["10-primary.conflist"])
                }
            }
        }

        @Test func `a second signal hurries, and nothing is uninstalled`() async throws {
            let node = try ClusterNode()
            try await ScriptedServer.run { server in
                try server.putAgent()
                let agent = try node.startAgent(serverPort: server.port)
                try await node.waitUntilReady(agent)
                server.always(.hang, containing: "daemonsets")

                agent.kill(SIGTERM)
                try await node.eventually("the DaemonSet is asked for", agent) {
                    server.count("GET", containing: "daemonsets") > 0
                }
                agent.kill(SIGTERM)

                #expect(try await agent.waitForEnd() == .exit(0))
                #expect(try node.entries() == 1)
                #expect(try agent.log.contains("hurries=true"))
            }
        }
    }
}
