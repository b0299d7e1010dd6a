import AgentProtocol
import CNIProtocol
import Conformance
import Foundation
import Operator
import TestSupport
import Testing

@testable import Agent

/// What a user sets, and what comes of it.
@Suite(.requiresHelm) struct ChartValuesTests {
    @Test(arguments: [
        ("cniBinDirr: /x", "'cniBinDirr'"),
        ("cni: {repair: {enabld: true}}", "'enabld'"),
        ("repair: {enabled: \"yes\"}", "/repair/enabled"),
        ("excludeNamespaces: kube-system", "/excludeNamespaces"),
        ("cniBinDir: opt/cni/bin", "/cniBinDir"),
        ("global: {resourceScope: some}", "/global/resourceScope"),
        ("terminationGracePeriodSeconds: -1", "/terminationGracePeriodSeconds"),
        ("env: {A-B: c}", "A-B"),
        ("updateStrategy: {typ: OnDelete}", "'typ'"),
        ("pullPolicy: always", "/pullPolicy"),
        ("cni: {podLabels: {a: 1}}", "/cni/podLabels/a"),
        ("cniConfFileName: /etc/cni/net.d/10-x.conflist", "/cniConfFileName"),
    ])
    func `a wrong value is refused, and its key is named`(values: String, key: String) async throws {
        let said = await #expect(throws: HelmRefused.self) { _ = try await Self.objects("hub: h\n\(values)") }

        #expect(said?.words.contains(key) == true, "\(said?.words ?? "nothing")")
    }

    @Test(arguments: [
        ("defaults: {hub: x}", "without the prefix"), ("profile: nope", "unknown profile nope"),
        ("platform: nope", "unknown platform nope"), ("compatibilityVersion: 1.2", "unknown compatibility version 1.2"),
        ("hub: \"\"", "set hub, global.hub or image"),
    ])
    func `what cannot be obeyed is said`(values: String, words: String) async throws {
        let prefix = values.hasPrefix("hub") ? "" : "hub: h\n"

        let said = await #expect(throws: HelmRefused.self) { _ = try await Self.objects(prefix + values) }

        #expect(said?.words.contains(words) == true, "\(said?.words ?? "nothing")")
    }

    @Test(
        .tags(.s22),
        arguments: [
            ("platform: k3s", "/var/lib/rancher/k3s/data/cni"),
            ("global: {platform: k3s}", "/var/lib/rancher/k3s/data/cni"),
            ("platform: k3s\ncni: {cniBinDir: /foo}", "/foo"),
            // Upstream's chart takes the platform's here; what a user sets wins.
            ("platform: k3s\ncniBinDir: /foo", "/foo"), ("cniBinDir: /flat\ncni: {cniBinDir: /nested}", "/nested"),
            ("platform: gke", "/opt/cni/bin"), ("platform: k3d", "/bin"), ("", "/opt/cni/bin"),
            ("platform: microk8s", "/var/snap/microk8s/current/opt/cni/bin"),
            ("platform: openshift", "/var/lib/cni/bin"), ("platform: minikube", "/opt/cni/bin"),
        ]
    )
    func `the user's values win over the platform's, and the nested ones over the flat`(
        values: String,
        folder: String
    ) async throws {
        let pod = try await Self.podSpec(values)

        let volume = pod["volumes"]?.array?.first { $0["name"]?.string == "cni-bin-dir" }
        #expect(volume?["hostPath"]?["path"]?.string == folder)
    }

    @Test(arguments: [
        ("hub: h\ntag: t", "h/install-cni:t"), ("global: {hub: g, tag: 1.30}\n", "g/install-cni:1.3"),
        ("hub: h\nglobal: {hub: g}", "h/install-cni:\(ProductVersion.text)"),
        ("hub: h\ntag: t\nvariant: distroless", "h/install-cni:t-distroless"),
        ("hub: h\ntag: t\nprofile: ambient", "h/install-cni:t-distroless"),
        ("hub: h\ntag: t\nimage: other", "h/other:t"),
        ("image: r.example/x/cni@sha256:00", "r.example/x/cni@sha256:00"),
    ])
    func `the image has a hub, a name, a tag and a variant, or is named as a whole`(
        values: String,
        image: String
    ) async throws {
        let pod = try await Self.podSpec(values, hub: "")

        #expect(pod["containers"]?.array?.first?["image"]?.string == image)
    }

    @Test func `the chart has the version of the programs`() throws {
        let page = try YAMLDocuments.read(
            String(contentsOf: RenderedChart.folder.appending(path: "Chart.yaml"), encoding: .utf8)
        )

        #expect(page.first?["version"]?.string == ProductVersion.text)
        #expect(page.first?["appVersion"]?.string == ProductVersion.text)
        #expect(page.first?["name"]?.string == "cni")
    }

    @Test(.tags(.s17)) func `Helm finds nothing to complain about`() async throws {
        let ended = try await onThread {
            try RenderedChart.helm().outcome(
                ["lint", RenderedChart.folder.path(percentEncoded: false), "--strict", "--set", "hub=h"]
            )
        }

        #expect(ended.status == 0, "\(String(decoding: ended.output, as: UTF8.self))")
    }

    @Test(
        .tags(.s31),
        arguments: [
            ("", nil), ("repair: {deletePods: true}", nil),
            ("repair: {deletePods: true, repairPods: false}", "pods: delete"),
            ("repair: {labelPods: true, repairPods: false}", "pods/status: patch, update"),
            ("repair: {repairPods: false}", nil),
        ] as [(String, String?)]
    )
    func `a repair mode has the right that it needs, and no other`(values: String, right: String?) async throws {
        let role = try #require(try await Self.objects("hub: h\n\(values)")["ClusterRole/istio-cni-repair-role"])

        let rights = (role["rules"]?.array ?? []).map { rule in
            "\(rule["resources"]?.strings?.joined(separator: ", ") ?? ""): \(rule["verbs"]?.strings?.joined(separator: ", ") ?? "")"
        }
        #expect(rights == ["events: create, patch", "pods: watch, get, list"] + [right].compactMap { $0 })
    }

    @Test func `every variable that the chart sends is one that the agent knows`() async throws {
        let objects = try await Self.objects(
            "hub: h\nistioOwnedCNIConfig: true\nistioOwnedCNIConfigFileName: 01-x.conflist\ncniConfFileName: a.conflist\n"
                + "ambient: {enabled: false}"
        )
        let data = try #require(objects["ConfigMap/istio-cni-config"]?["data"]?.stringsByName)
        let container = objects["DaemonSet/istio-cni-node"]?["spec"]?["template"]?["spec"]?["containers"]?.array?.first
        var environment = data
        for variable in container?["env"]?.array ?? [] {
            environment[variable["name"]?.string ?? ""] = variable["value"]?.string ?? "name"
        }
        environment["GOMEMLIMIT"] = "104857600"
        environment["KUBERNETES_SERVICE_HOST"] = "10.96.0.1"
        environment["KUBERNETES_SERVICE_PORT"] = "443"

        let configuration = try AgentConfiguration(environment: environment)

        #expect(configuration.install.ownedFileName == "01-x.conflist")
    }

    @Test func `the kubelet asks where the agent answers`() async throws {
        let pod = try await Self.podSpec("")
        let usual = ["KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443", "NODE_NAME": "a"]

        let ports = try AgentConfiguration(environment: usual).ports

        let container = pod["containers"]?.array?.first
        for probe in ["livenessProbe", "readinessProbe"] {
            #expect(container?[probe]?["httpGet"]?["port"]?.integer == ports.health, "\(probe)")
        }
        #expect(container?["ports"]?.array?.first?["containerPort"]?.integer == ports.monitoring)
    }

    private static func objects(_ values: String) async throws -> [String: JSONValue] {
        let document = try YAMLDocuments.read(values).first ?? .object([])
        return try await onThread { try RenderedChart.objects(document) }
    }

    private static func podSpec(_ values: String, hub: String = "hub: h\n") async throws -> JSONValue {
        let daemonSet = try #require(try await objects(hub + values)["DaemonSet/istio-cni-node"])
        return try #require(daemonSet["spec"]?["template"]?["spec"])
    }
}
