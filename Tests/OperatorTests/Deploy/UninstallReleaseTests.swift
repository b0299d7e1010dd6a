import CNIProtocol
import Conformance
import Foundation
import HTTPTestSupport
import Testing

@testable import Operator

/// Acceptance: `istio-cnictl uninstall` through real Helm and kubectl, against an API server.
@Suite struct UninstallReleaseTests {
    private static let look = "/apis/apps/v1/namespaces/istio-system/daemonsets/\(NodeCheck.name)"

    @Test func `agents go first, then each node is looked at, then Helm removes the rest`() async throws {
        try await DeployCluster.run { cluster in
            _ = try await cluster.command(InstallCommandTests.arguments + ["-y"])
            let before = cluster.changes.count

            let ended = try await cluster.command(["uninstall", "-y"])

            #expect(ended.status == 0, "\(ended.error)")
            let changes = Array(cluster.changes.dropFirst(before))
            #expect(
                changes.prefix(3) == [
                    "DELETE \(InstallCommandTests.daemonSet)",
                    "POST /apis/apps/v1/namespaces/istio-system/daemonsets", "DELETE \(Self.look)",
                ],
                "\(changes)"
            )
            #expect(changes.dropFirst(3).allSatisfy { $0.hasPrefix("DELETE ") })
            #expect(ended.output.contains("2 of 2 nodes have nothing left"))
            for kind in ["serviceaccounts/istio-cni", "configmaps/istio-cni-config"] {
                #expect(cluster.server.object(at: "/api/v1/namespaces/istio-system/\(kind)") == nil)
            }
            #expect(cluster.server.object(at: "/api/v1/namespaces/istio-system") != nil)
        }
    }

    @Test func `what is left on a node is named, and the release stays until it can be cleaned`() async throws {
        try await DeployCluster.run(left: ["two": "left: /etc/cni/net.d/10-a.conflist\n"]) { cluster in
            _ = try await cluster.command(InstallCommandTests.arguments + ["-y"])

            let ended = try await cluster.command(["uninstall", "-y"])

            #expect(ended.status == 1)
            #expect(ended.error.contains("node two: left: /etc/cni/net.d/10-a.conflist\n"), "\(ended.error)")
            #expect(ended.error.contains("uninstall --clean-nodes"))
            #expect(cluster.server.object(at: "/api/v1/namespaces/istio-system/serviceaccounts/istio-cni") != nil)
            #expect(cluster.server.object(at: Self.look) == nil)
        }
    }

    @Test func `cleaning runs the uninstaller on each node with the agent's image, directories and account`()
        async throws
    {
        try await DeployCluster.run { cluster in
            _ = try await cluster.command(InstallCommandTests.arguments + ["-y"])
            let agent = try #require(cluster.server.object(at: InstallCommandTests.daemonSet))

            let ended = try await cluster.command(["uninstall", "-y", "--clean-nodes"])

            #expect(ended.status == 0, "\(ended.error)")
            let sent = cluster.server.requests.last { $0.method == "POST" && $0.path.hasSuffix("/daemonsets") }?.body
            let pod = sent?.value(at: ["spec", "template", "spec"])
            let first = pod?["initContainers"]?.array?.first
            #expect(first?["args"]?.strings == ["uninstall", "--remove-binary"])
            #expect(pod?["containers"]?.array?.first?["args"]?.strings == ["uninstall", "--verify", "--remove-binary"])
            let own = agent.value(at: ["spec", "template", "spec"])
            for name in ["image", "volumeMounts", "env", "envFrom", "securityContext"] {
                #expect(first?[name]?.isSame(as: own?["containers"]?.array?.first?[name] ?? .null) == true, "\(name)")
            }
            for name in ["volumes", "serviceAccountName", "priorityClassName", "tolerations"] {
                #expect(pod?[name]?.isSame(as: own?[name] ?? .null) == true, "\(name)")
            }
        }
    }

    @Test func `nodes without a ready agent are named beforehand, and a node that cannot be looked at is no success`()
        async throws
    {
        try await DeployCluster.run(unready: ["two"]) { cluster in
            _ = try await cluster.command(InstallCommandTests.arguments + ["-y", "--readiness-timeout", "0s"])

            let ended = try await cluster.command(["uninstall", "-y", "--timeout", "0s"])

            #expect(ended.status == 1)
            #expect(ended.error.contains("node two has no ready agent to take its entry away"), "\(ended.error)")
            #expect(ended.error.contains("node two could not be looked at: ImagePullBackOff: no such image"))
        }
    }

    @Test func `where no pod could look at a node it is no success, and the release stays`() async throws {
        let nodes = ["one", "two", "three"]
        try await DeployCluster.run(nodes: nodes, unready: ["three"], podless: [NodeCheck.name]) { cluster in
            _ = try await cluster.command(InstallCommandTests.arguments + ["-y", "--readiness-timeout", "0s"])

            let ended = try await cluster.command(["uninstall", "-y", "--timeout", "0s"])

            #expect(ended.status == 1)
            #expect(ended.error.contains("3 of 3 nodes could not be looked at: they got no pod"), "\(ended.error)")
            #expect(ended.error.contains("the release is kept"))
            #expect(ended.output.contains("0 of 3 nodes have nothing left"))
            #expect(!ended.output.contains("Uninstalled"))
            #expect(cluster.server.object(at: "/api/v1/namespaces/istio-system/serviceaccounts/istio-cni") != nil)
            #expect(cluster.server.object(at: Self.look) == nil)
        }
    }

    @Test(
        arguments: [
            (seen: 2, nodes: 2, isWhole: true, podless: 0), (seen: 2, nodes: 3, isWhole: false, podless: 1),
            (seen: 0, nodes: 0, isWhole: true, podless: 0), (seen: 2, nodes: nil, isWhole: false, podless: 0),
        ] as [(seen: Int, nodes: Int?, isWhole: Bool, podless: Int)]
    )
    func `all nodes were looked at if the DaemonSet wants no more`(
        seen: Int,
        nodes: Int?,
        isWhole: Bool,
        podless: Int
    ) {
        let results = (0..<seen).map { NodeCheck.Result(node: "\($0)", problem: nil, isSeen: true) }

        let findings = NodeCheck.Findings(results: results, nodes: nodes)

        #expect(findings.isWhole == isWhole)
        #expect(findings.podless == podless)
    }

    @Test func `control planes that rely on the agent are named first`() async throws {
        try await DeployCluster.run { cluster in
            cluster.putInjector("istio-sidecar-injector-blue", usesAgent: true)
            _ = try await cluster.command(InstallCommandTests.arguments + ["-y"])
            let before = cluster.changes.count

            let ended = try await cluster.command(["uninstall", "--dry-run"])

            #expect(ended.status == 0)
            #expect(ended.error.contains("istiod of revision blue leaves redirection to the agent"))
            #expect(ended.output.contains("  DaemonSet/istio-cni-node\n"))
            #expect(cluster.changes.count == before)
        }
    }

    @Test func `what this program has not installed is refused`() async throws {
        try await DeployCluster.run { cluster in
            let nothing = try await cluster.command(["uninstall", "-y"])
            let other = DeployCluster.object("apps/v1", "DaemonSet", "istio-cni-node")
                .setting(["metadata", "labels"], to: .strings([("k8s-app", "istio-cni-node")]))
                .setting(["metadata", "namespace"], to: .string("kube-system"))
            cluster.server.put(other, at: "/apis/apps/v1/namespaces/kube-system/daemonsets/istio-cni-node")

            let foreign = try await cluster.command(["uninstall", "-y"])

            #expect(nothing.status == 1)
            #expect(nothing.error.contains("nothing to uninstall"))
            #expect(foreign.status == 1)
            #expect(foreign.error.contains("was not made by Helm"))
            #expect(cluster.changes.isEmpty)
        }
    }
}
