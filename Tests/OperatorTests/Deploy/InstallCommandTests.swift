import CNIProtocol
import Conformance
import Foundation
import HTTPTestSupport
import Testing

@testable import Operator

/// Acceptance: `istio-cnictl install` through real Helm and kubectl, against an API server.
@Suite struct InstallCommandTests {
    private static let file = TestDocument.root.appending(path: "examples/operator/istio-cni.yaml").path(
        percentEncoded: false
    )
    static let arguments = ["install", "-f", file, "--set", "hub=r.example/x"]
    static let daemonSet = "/apis/apps/v1/namespaces/istio-system/daemonsets/istio-cni-node"

    @Test(.tags(.s16, .s17)) func `a first installation makes the namespace and the chart's objects, and nothing else`()
        async throws
    {
        try await DeployCluster.run { cluster in
            let ended = try await cluster.command(Self.arguments + ["-y"])

            #expect(ended.status == 0, "\(ended.error)")
            let namespace = "/api/v1/namespaces/istio-system"
            let roles = "/apis/rbac.authorization.k8s.io/v1"
            #expect(
                Set(cluster.changes.map { $0.split(separator: " ")[1] }) == [
                    namespace[...], "\(namespace)/serviceaccounts/istio-cni",
                    "\(namespace)/configmaps/istio-cni-config",
                    "\(roles)/clusterroles/istio-cni", "\(roles)/clusterroles/istio-cni-repair-role",
                    "\(roles)/clusterrolebindings/istio-cni",
                    "\(roles)/clusterrolebindings/istio-cni-repair-rolebinding",
                    "\(roles)/namespaces/istio-system/roles/istio-cni-daemonset",
                    "\(roles)/namespaces/istio-system/rolebindings/istio-cni-daemonset", Self.daemonSet[...],
                ]
            )
            #expect(!cluster.changes.contains { $0.hasPrefix("DELETE") })
            let lines = ended.output.split(separator: "\n")
            #expect(lines.contains("Ready on all 2 nodes"))
            #expect(
                lines.contains(
                    "  helm upgrade --install istiod istio/istiod -n istio-system --set pilot.cni.enabled=true"
                )
            )
            #expect(!ended.output.contains("istiod installed"))
        }
    }

    @Test(.tags(.s26)) func `an upgrade changes the objects in place, and deletes those that are no longer wanted`()
        async throws
    {
        try await DeployCluster.run { cluster in
            let quota = ["--set", "values.cni.resourceQuotas.enabled=true", "-y"]
            let first = try await cluster.command(Self.arguments + quota)
            let before = cluster.changes.count

            let second = try await cluster.command(
                ["upgrade"] + Self.arguments.dropFirst() + ["--set", "tag=2.0", "-y"]
            )

            #expect(first.status == 0, "\(first.error)")
            #expect(second.status == 0, "\(second.error)")
            let image = cluster.server.object(at: Self.daemonSet)?
                .value(at: ["spec", "template", "spec", "containers"])?.array?.first?["image"]?.string
            #expect(image == "r.example/x/install-cni:2.0")
            let deleted = cluster.changes.dropFirst(before).filter { $0.hasPrefix("DELETE") }
            #expect(
                Array(deleted) == ["DELETE /api/v1/namespaces/istio-system/resourcequotas/istio-cni-resource-quota"]
            )
        }
    }

    @Test(arguments: ["", "n\n", "later\n"])
    func `without a yes nothing is changed`(answer: String) async throws {
        try await DeployCluster.run { cluster in
            let ended = try await cluster.command(Self.arguments, input: answer)

            #expect(ended.status == 1)
            #expect(ended.output == "Cancelled.\n")
            #expect(cluster.changes.isEmpty)
        }
    }

    @Test func `nodes that are not ready in time are named, with the reason`() async throws {
        try await DeployCluster.run(unready: ["two"]) { cluster in
            let ended = try await cluster.command(Self.arguments + ["-y", "--readiness-timeout", "0s"])

            #expect(ended.status == 1)
            #expect(ended.error.contains("node two: ImagePullBackOff: no such image"), "\(ended.error)")
            #expect(!ended.output.contains("Installed"))
        }
    }

    @Test(.tags(.s24)) func `a control plane that still injects istio-init is named by its revision`() async throws {
        try await DeployCluster.run { cluster in
            cluster.putInjector("istio-sidecar-injector", usesAgent: true)
            cluster.putInjector("istio-sidecar-injector-blue", usesAgent: false)

            let ended = try await cluster.command(Self.arguments + ["-y"])

            let warnings = ended.error.split(separator: "\n").filter { $0.contains("istio-init") }
            #expect(warnings.count == 1)
            #expect(warnings.first?.contains("istiod of revision blue") == true)
        }
    }

    @Test func `settings of Cilium that fight the agent are named`() async throws {
        try await DeployCluster.run { cluster in
            let data = JSONValue.strings([("cni-exclusive", "true"), ("kube-proxy-replacement", "true")])
            let path = "/api/v1/namespaces/kube-system/configmaps/cilium-config"
            cluster.server.put(
                DeployCluster.object("v1", "ConfigMap", "cilium-config").setting(["data"], to: data),
                at: path
            )

            let ended = try await cluster.command(Self.arguments + ["-y"])

            #expect(ended.error.contains("cni.exclusive=false"))
            #expect(ended.error.contains("socketLB.hostNamespaceOnly=true"))
        }
    }

    @Test func `an agent that somebody else has made is refused, and stays`() async throws {
        try await DeployCluster.run { cluster in
            let labels = JSONValue.strings([("k8s-app", "istio-cni-node"), ("operator.istio.io/managed", "Reconcile")])
            let other = DeployCluster.object("apps/v1", "DaemonSet", "istio-cni-node")
                .setting(["metadata", "labels"], to: labels)
                .setting(["metadata", "namespace"], to: .string("kube-system"))
            cluster.server.put(other, at: "/apis/apps/v1/namespaces/kube-system/daemonsets/istio-cni-node")

            let ended = try await cluster.command(Self.arguments + ["-y"])

            #expect(ended.status == 1)
            #expect(ended.error.contains("in namespace kube-system was not made by Helm"), "\(ended.error)")
            #expect(cluster.changes.isEmpty)
        }
    }

    @Test(arguments: [
        ("pending-install", "helm uninstall istio-cni -n istio-system"),
        ("pending-upgrade", "helm rollback istio-cni -n istio-system"),
        ("uninstalling", "helm uninstall istio-cni -n istio-system"),
    ])
    func `a release on which another helm works is refused, with what to do if none does`(
        status: String,
        remedy: String
    ) async throws {
        try await DeployCluster.run { cluster in
            cluster.putRelease(status: status)

            let ended = try await cluster.command(Self.arguments + ["-y"])

            #expect(ended.status == 1)
            #expect(ended.error.contains("the release is \(status)"), "\(ended.error)")
            #expect(ended.error.hasSuffix("if none does: \(remedy)\n"))
            #expect(cluster.changes.isEmpty)
        }
    }

    @Test func `a release that is kept as history is none`() throws {
        let release = { (namespace: String, status: String) in
            JSONValue.strings([("namespace", namespace), ("chart", "cni-0.1.0"), ("status", status)])
        }

        let found = Helm.releases(in: .array([release("one", "uninstalled"), release("two", "deployed")]))

        #expect(found == [Helm.Release(namespace: "two", chart: "cni-0.1.0", status: "deployed")])
    }

    @Test func `a second agent in another namespace is refused`() async throws {
        try await DeployCluster.run { cluster in
            _ = try await cluster.command(Self.arguments + ["-y"])
            let before = cluster.changes.count

            let ended = try await cluster.command(
                Self.arguments + ["--set", "components.cni.namespace=kube-system", "-y"]
            )

            #expect(ended.status == 1)
            #expect(ended.error.contains("in namespace istio-system already"), "\(ended.error)")
            #expect(cluster.changes.count == before)
        }
    }

    @Test(.tags(.s20)) func `on GKE a document's own namespace gets the quota that its pods need`() async throws {
        try await DeployCluster.run(serverVersion: "v1.32.4-gke.1353003") { cluster in
            let ended = try await cluster.command(Self.arguments + ["-y"])

            #expect(ended.status == 0, "\(ended.error)")
            let quota = "/api/v1/namespaces/istio-system/resourcequotas/istio-cni-resource-quota"
            #expect(cluster.server.object(at: quota) != nil)
            let volumes =
                cluster.server.object(at: Self.daemonSet)?
                .value(at: ["spec", "template", "spec", "volumes"])?.array ?? []
            let folders = volumes.compactMap { $0.value(at: ["hostPath", "path"])?.string }
            #expect(folders.contains("/home/kubernetes/bin"))
        }
    }

    @Test func `ambient mode is refused before anything is done`() async throws {
        try await DeployCluster.run { cluster in
            let ended = try await cluster.command(Self.arguments + ["--set", "profile=ambient", "-y"])

            #expect(ended.status == 1)
            #expect(ended.error.contains("ambient mode is asked for"))
            #expect(cluster.changes.isEmpty)
        }
    }

    @Test func `a dry run refuses, warns and lists the other components as an installation does`() async throws {
        try await DeployCluster.run { cluster in
            cluster.putInjector("istio-sidecar-injector-blue", usesAgent: false)

            let ended = try await cluster.command(Self.arguments + ["--dry-run"])
            let refused = try await cluster.command(Self.arguments + ["--dry-run", "--set", "profile=ambient"])

            #expect(ended.status == 0, "\(ended.error)")
            #expect(ended.error.contains("istiod of revision blue still injects istio-init"))
            #expect(ended.error.contains("  helm upgrade --install istiod istio/istiod -n istio-system"))
            let lines = ended.output.split(separator: "\n")
            #expect(lines.contains("+ DaemonSet/istio-cni-node"))
            #expect(lines.allSatisfy { $0.hasPrefix("+ ") })
            #expect(refused.status == 1)
            #expect(refused.error.contains("ambient mode is asked for"))
            #expect(refused.output.isEmpty)
            #expect(cluster.changes.isEmpty)
        }
    }

    @Test(.enabled(if: DeployCluster.canDiff, "kubectl is older than 1.27"))
    func `a dry run shows what would change, and changes nothing`() async throws {
        try await DeployCluster.run { cluster in
            let first = try await cluster.command(Self.arguments + ["--dry-run"])
            _ = try await cluster.command(Self.arguments + ["-y"])
            let before = cluster.changes.count

            let same = try await cluster.command(Self.arguments + ["--dry-run"])
            let other = try await cluster.command(Self.arguments + ["--set", "tag=2.0", "--dry-run"])

            #expect(first.output.hasPrefix("+ Namespace/istio-system\n"), "\(first.error)")
            #expect(first.output.contains("+ DaemonSet/istio-cni-node\n"))
            #expect(same.output == "nothing would change\n", "\(same.error)")
            #expect(
                other.output.contains("+        image: r.example/x/install-cni:2.0\n"),
                "\(other.output)\(other.error)"
            )
            #expect(cluster.changes.count == before)
        }
    }
}

extension DeployCluster {
    /// The ConfigMap from which istiod takes what it injects.
    func putInjector(_ name: String, usesAgent: Bool) {
        let data = JSONValue.strings([("values", #"{"pilot":{"cni":{"enabled":\#(usesAgent)}}}"#)])
        server.put(
            Self.object("v1", "ConfigMap", name).setting(["data"], to: data),
            at: "/api/v1/namespaces/istio-system/configmaps/\(name)"
        )
    }

    /// A release as Helm keeps it: JSON, which it reads without compression too, in base64 twice.
    func putRelease(status: String, namespace: String = "istio-system") {
        let release = JSONValue.strings([("name", "istio-cni"), ("namespace", namespace)])
            .setting(["version"], to: .integer(1))
            .setting(["info", "status"], to: .string(status))
            .setting(["chart", "metadata"], to: .strings([("name", "cni"), ("version", "0.1.0")]))
        let text = Data(release.bytes()).base64EncodedString()
        let labels = [("owner", "helm"), ("name", "istio-cni"), ("status", status), ("version", "1")]
        let name = "sh.helm.release.v1.istio-cni.v1"
        let secret = Self.object("v1", "Secret", name)
            .setting(["metadata", "namespace"], to: .string(namespace))
            .setting(["metadata", "labels"], to: .strings(labels))
            .setting(["type"], to: .string("helm.sh/release.v1"))
            .setting(["data", "release"], to: .string(Data(text.utf8).base64EncodedString()))
        server.put(secret, at: "/api/v1/namespaces/\(namespace)/secrets/\(name)")
    }
}
