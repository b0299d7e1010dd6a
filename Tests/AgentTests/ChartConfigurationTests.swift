import Conformance
import Foundation
import TestSupport
import Testing

@testable import Agent

/// The environment that the official chart sends.
@Suite(.requiresUpstreamFixtures) struct ChartConfigurationTests {
    /// One container of the DaemonSet as the kubelet would start it.
    private struct Container {
        var arguments: [String]
        var environment: [String: String]

        /// Names that the case's own values bring along.
        var usersOwn: Set<String>
    }

    private static func container(_ name: String) throws -> Container? {
        let document = try JSONSerialization.jsonObject(with: Data(try UpstreamFixtures.bytes("chart/\(name)")))
        guard let root = document as? [String: Any], let objects = root["objects"] as? [[String: Any]] else {
            return nil
        }
        let set = objects.first { object in object["kind"] as? String == "DaemonSet" }
        let template = (set?["spec"] as? [String: Any])?["template"] as? [String: Any]
        let containers = (template?["spec"] as? [String: Any])?["containers"] as? [[String: Any]]
        guard let container = containers?.first else { return nil }
        var environment = ["KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"]
        for source in container["envFrom"] as? [[String: Any]] ?? [] {
            let wanted = (source["configMapRef"] as? [String: Any])?["name"] as? String
            let map = objects.first { object in
                object["kind"] as? String == "ConfigMap"
                    && (object["metadata"] as? [String: Any])?["name"] as? String == wanted
            }
            environment.merge(try #require(map?["data"] as? [String: String])) { _, new in new }
        }
        for variable in container["env"] as? [[String: Any]] ?? [] {
            // What the kubelet fills in is a name, or a number of bytes.
            let usual = variable["name"] as? String == "GOMEMLIMIT" ? "104857600" : "istio-cni-node-x"
            environment[try #require(variable["name"] as? String)] = variable["value"] as? String ?? usual
        }
        let values = root["values"] as? [String: Any]
        let own = ((values?["cni"] as? [String: Any]) ?? values)?["env"] as? [String: Any]
        return Container(
            arguments: container["args"] as? [String] ?? [],
            environment: environment,
            usersOwn: Set((own ?? [:]).keys)
        )
    }

    @Test func `there are charts to look at, and nearly all have an agent`() throws {
        let names = UpstreamFixtures.names(in: "chart")
        let agents = try names.filter { name in try Self.container(name) != nil }

        #expect(names.count == 28)
        #expect(agents.count >= 26)
    }

    @Test(arguments: UpstreamFixtures.names(in: "chart"))
    func `what a chart sends is understood, or named`(name: String) throws {
        guard let container = try Self.container(name) else { return }
        var arguments: [AgentSetting: String] = [:]
        for argument in container.arguments {
            let parts = argument.drop { character in character == "-" }.split(separator: "=", maxSplits: 1)
            let setting = try #require(AgentSetting.byFlag[String(parts[0])], "\(argument)")
            arguments[setting] = parts.count == 2 ? String(parts[1]) : "true"
        }

        let configuration = try AgentConfiguration(arguments: arguments, environment: container.environment)

        let named = Set(configuration.idle.known)
        for variable in container.environment.keys where !container.usersOwn.contains(variable) {
            #expect(AgentSetting.allVariables.contains(variable) || named.contains(variable), "\(variable)")
        }
        #expect(configuration.idle.unknown.isEmpty)
        #expect(configuration.node.name == "istio-cni-node-x")
    }

    private static let effects: [(name: String, isSeen: @Sendable (AgentConfiguration) -> Bool)] = [
        ("conf-name.json", { $0.install.primaryName == "10-calico.conflist" }),
        ("exclude-namespaces.json", { $0.node.excludedNamespaces == ["istio-system", "kube-system"] }),
        ("nftables.json", { $0.redirection.isNativeNFTables }),
        ("repair-delete.json", { $0.repair.mode == .delete }),
        ("repair-label.json", { $0.repair.mode == .label }),
        ("repair-off.json", { $0.repair.mode == .off }),
        ("default.json", { $0.repair.mode == .repair && $0.node.excludedNamespaces == ["kube-system"] }),
        ("ambient-owned.json", { $0.ambient.isEnabled && $0.install.ownedFileName == "01-x.conflist" }),
        ("platform-openshift.json", { !$0.install.isChained && $0.install.primaryName == "istio-cni.conf" }),
        ("env.json", { $0.ports.monitoring == nil }),
    ]

    @Test(.tags(.s22), arguments: effects.indices)
    func `a value of the chart has its effect`(index: Int) throws {
        let (name, isSeen) = Self.effects[index]
        let container = try #require(try Self.container(name))

        #expect(isSeen(try AgentConfiguration(environment: container.environment)), "\(name)")
    }
}
