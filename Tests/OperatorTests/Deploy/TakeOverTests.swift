import CNIProtocol
import Conformance
import Foundation
import HTTPTestSupport
import Testing

@testable import Operator

/// What docs/install.md says about objects that `istioctl` made.
@Suite struct TakeOverTests {
    @Test(.tags(.s18)) func `after the page's lines the objects of istioctl are installed over in place`() async throws
    {
        let page = TestDocument.root.appending(path: "docs/install.md")
        let blocks = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```\n")
        let script = try #require(blocks.first { $0.contains("operator.istio.io/managed-") })
        let namespaced = ["--set", "components.cni.namespace=kube-system", "-y"]
        let others = [
            "--set", "values.cni.resourceQuotas.enabled=true", "--set", "values.global.networkPolicy.enabled=true",
            "--set", "values.cni.provider=multus",
        ]
        let arguments = InstallCommandTests.arguments + namespaced + others
        try await DeployCluster.run { cluster in
            let first = try await cluster.command(arguments)
            let paths = cluster.forgetHelm()

            let refused = try await cluster.command(arguments)
            let taken = try await cluster.shell(
                script.replacing("namespace=istio-system", with: "namespace=kube-system")
            )
            // A right of this chart's own, which `istioctl` does not make.
            for path in paths where path.hasSuffix("/istio-cni-daemonset") { cluster.server.remove(path) }
            let before = cluster.changes.count
            let installed = try await cluster.command(arguments)

            #expect(first.status == 0, "\(first.error)")
            #expect(paths.contains { $0.hasSuffix("/resourcequotas/istio-cni-resource-quota") })
            #expect(paths.contains { $0.hasSuffix("/networkpolicies/istio-cni") })
            #expect(paths.contains { $0.hasSuffix("/default/network-attachment-definitions/istio-cni") })
            #expect(refused.status == 1)
            #expect(taken.status == 0, "\(taken.error)")
            #expect(installed.status == 0, "\(installed.error)")
            #expect(!cluster.changes.dropFirst(before).contains { $0.hasPrefix("DELETE") })
        }
    }
}

extension DeployCluster {
    /// Makes Helm's objects ones that Helm does not know, and gives their paths.
    fileprivate func forgetHelm() -> [String] {
        let written = Set(changes.map { String($0.split(separator: " ")[1]) }).sorted()
        var paths: [String] = []
        for path in written {
            guard let object = server.object(at: path), object["kind"]?.string != "Namespace" else { continue }
            let metadata = (object["metadata"] ?? .null).removing("annotations").removing("labels")
            let labels = JSONValue.strings([
                ("k8s-app", "istio-cni-node"), ("operator.istio.io/managed", "Reconcile"),
            ])
            server.put(object.setting("metadata", metadata.setting("labels", labels)), at: path)
            paths.append(path)
        }
        server.remove("/api/v1/namespaces/kube-system/secrets/sh.helm.release.v1.istio-cni.v1")
        return paths
    }
}
