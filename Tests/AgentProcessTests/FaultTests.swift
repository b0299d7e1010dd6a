import Conformance
import Foundation
import HTTPTestSupport
import LinuxKernel
import TestSupport
import Testing

extension AgentProcessTests {
    /// What is down leaves running what can run, and says why (issue 3, "Faults").
    @Suite struct FaultTests {
        enum Trouble: String, CaseIterable {
            case away, hanging, garbage, serverError, unauthorized, forbidden, throttled, half

            func stage(_ server: ScriptedServer) {
                switch self {
                case .away: server.always(.cut)
                case .hanging: server.always(.hang)
                case .garbage: server.always(.garbage)
                case .serverError: server.always(.status(500))
                case .unauthorized: server.accept(tokens: [])
                case .forbidden: server.always(.status(403, reason: "Forbidden", message: "pods is forbidden"))
                case .throttled: server.always(.status(429, retryAfter: 1))
                case .half: server.always(.half)
                }
            }
        }

        @Test(.tags(.s18), arguments: Trouble.allCases)
        func `the plugin is installed whatever the API server does, and pods are known once it is well`(
            trouble: Trouble
        ) async throws {
            let node = try ClusterNode()
            try await ScriptedServer.run { server in
                server.put(TestPod.object("cart"))
                trouble.stage(server)
                let agent = try node.startAgent(serverPort: server.port)

                try await node.eventually("the plugin is installed", agent) { try node.entries() == 1 }
                try await agent.waitUntilServing()
                let (status, body) = try await node.readiness()
                #expect(status == 503)
                #expect(body.contains("pods"), "\(body)")
                // A list that hangs is an error once its two minutes are over.
                if trouble != .hanging {
                    try await node.eventually("the log says why", agent) { try agent.log.contains("watch interrupted") }
                    try await node.eventually("a metric says so", agent) {
                        try await node.metric("controller_sync_errors_total") ?? 0 >= 1
                    }
                }

                server.behave()
                server.accept(tokens: nil)
                if trouble != .hanging { try await node.waitUntilReady(agent) }
                agent.kill(SIGKILL)
            }
        }

        @Test func `an API server that is not there at first is found when it comes`() async throws {
            let node = try ClusterNode()
            let port = try ClusterNode.freePort()
            let agent = try node.startAgent(serverPort: port)
            try await node.eventually("the plugin is installed", agent) { try node.entries() == 1 }

            let server = try await ScriptedServer.start(port: port)
            server.put(TestPod.object("cart"))

            try await node.waitUntilReady(agent)
            agent.kill(SIGKILL)
            await server.stop()
        }

        @Test func `ambient mode changes nothing on the node, is not ready, and says why`() async throws {
            let node = try ClusterNode()
            try await ScriptedServer.run { server in
                let agent = try node.startAgent(serverPort: server.port, environment: ["AMBIENT_ENABLED=true"])
                try await agent.waitUntilServing()

                try await node.eventually("it says why", agent) {
                    let (status, body) = try await node.readiness()
                    return status == 503 && body.contains("AMBIENT_ENABLED")
                }

                #expect(try node.text("net.d/10-primary.conflist") == ClusterNode.primary)
                #expect(try node.names(in: "net.d") == ["10-primary.conflist"])
                #expect(try node.names(in: "bin").isEmpty)
                #expect(try agent.log.contains("AMBIENT_ENABLED"))
                #expect(try agent.pollEnding() == nil)
            }
        }

        @Test func `a health port that is taken ends the agent with its name, and nothing is uninstalled`() async throws
        {
            let node = try ClusterNode()
            try await ScriptedServer.run { server in
                let first = try node.startAgent(serverPort: server.port)
                try await node.waitUntilReady(first)

                let second = try node.startAgent(serverPort: server.port, arguments: ["--monitoring-port=0"])

                #expect(try await second.waitForEnd() == .exit(1))
                #expect(try second.log.contains("\(node.healthPort)"), "\(second.story)")
                #expect(try node.entries() == 1)
                first.kill(SIGKILL)
            }
        }

        @Test(.tags(.s15)) func `without what every pod has the agent ends, and names all of it`() async throws {
            let node = try ClusterNode()
            let agent = try AgentProcess(runDirectory: node.path("run"), arguments: [])

            #expect(try await agent.waitForEnd() == .exit(1))
            for name in ["NODE_NAME", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"] {
                #expect(try agent.log.contains(name), "\(agent.story)")
            }
        }

        @Test func `no token is left on the node, and one that upstream left is gone`() async throws {
            let node = try ClusterNode()
            try FileManager.default.createDirectory(atPath: node.path("run"), withIntermediateDirectories: true)
            try Data("users: [{user: {token: token-1}}]".utf8)
                .write(to: URL(filePath: node.path("run/istio-cni-kubeconfig")))
            try await ScriptedServer.run { server in
                let agent = try node.startAgent(serverPort: server.port)
                try await node.waitUntilReady(agent)

                try await node.eventually("upstream's token is gone", agent) {
                    !node.exists("run/istio-cni-kubeconfig")
                }
                for directory in ["net.d", "bin", "run"] {
                    for name in try node.names(in: directory) where !name.hasSuffix(".sock") {
                        let bytes = try Data(contentsOf: URL(filePath: node.path("\(directory)/\(name)")))
                        #expect(bytes.range(of: Data("token-1".utf8)) == nil, "\(directory)/\(name)")
                    }
                }
                agent.kill(SIGKILL)
            }
        }

        /// Those of the official chart, and no other; without repair two of them are not needed (docs/repair.md).
        @Test(arguments: [
            "+net_admin,+net_raw,+sys_ptrace,+sys_admin,+dac_override", "+sys_admin,+dac_override,+net_admin",
        ])
        func `the capabilities of the chart are enough`(rights: String) async throws {
            let node = try ClusterNode()
            try await ScriptedServer.run { server in
                let isRepairing = rights.contains("ptrace")
                let agent = try node.startAgent(
                    serverPort: server.port,
                    environment: ["REPAIR_ENABLED=\(isRepairing)", "REPAIR_REPAIR_PODS=\(isRepairing)"],
                    wrapper: ["/usr/bin/setpriv", "--bounding-set=-all,\(rights)", "--inh-caps=-all"]
                )

                try await node.waitUntilReady(agent)
                #expect(try node.entries() == 1)
                agent.kill(SIGKILL)
            }
        }
    }
}
