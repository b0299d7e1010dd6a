import CNIProtocol
import Conformance
import Foundation
import TestSupport
import Testing

@testable import Operator

/// Upstream's own pairs of manifest and injected manifest, in what this project depends on.
@Suite(.requiresUpstreamFixtures) struct RecordedInjectionTests {
    struct Pair: Sendable, CustomStringConvertible {
        let input: String
        let output: String
        var settings = ""
        var change: @Sendable (inout Injection) -> Void = { _ in }

        var description: String { output }
    }

    private static let withPlugin = "pilot: {cni: {enabled: true}}\n"
    private static let without = "pilot: {cni: {enabled: false}}\n"
    private static let ranges: @Sendable (inout Injection) -> Void = { injection in
        injection.namespaceAnnotations["test-ns"] = ["openshift.io/sa.scc.uid-range": "1000620000/10000"]
    }

    static let pairs = [
        Pair(input: "hello.yaml", output: "hello.yaml.injected", settings: without),
        Pair(
            input: "hello.yaml",
            output: "hello.yaml.cni.injected",
            settings: withPlugin + "global: {network: network1}"
        ),
        Pair(
            input: "hello.yaml",
            output: "hello-tproxy.yaml.injected",
            settings: without + "meshConfig: {defaultConfig: {interceptionMode: TPROXY}}"
        ),
        Pair(input: "proxy-override-runas.yaml", output: "proxy-override-runas.yaml.injected", settings: without),
        Pair(
            input: "proxy-override-runas.yaml",
            output: "proxy-override-runas.yaml.cni.injected",
            settings: withPlugin
        ),
        Pair(
            input: "proxy-override-runas.yaml",
            output: "proxy-override-runas.yaml.tproxy.injected",
            settings: without + "meshConfig: {defaultConfig: {interceptionMode: TPROXY}}"
        ),
        Pair(
            input: "hello-existing-cncf-networks.yaml",
            output: "hello-existing-cncf-networks.yaml.injected",
            settings: "pilot: {cni: {enabled: true, provider: multus}}"
        ),
        Pair(
            input: "hello-existing-cncf-networks-json.yaml",
            output: "hello-existing-cncf-networks-json.yaml.injected",
            settings: "pilot: {cni: {enabled: true, provider: multus}}"
        ),
        Pair(input: "native-sidecar.yaml", output: "native-sidecar.yaml.injected", settings: without),
        Pair(
            input: "hello-openshift.yaml",
            output: "hello-openshift.yaml.injected",
            settings: withPlugin + "global: {platform: openshift}",
            change: ranges
        ),
        Pair(
            input: "hello-openshift-tproxy.yaml",
            output: "hello-openshift-tproxy.yaml.injected",
            settings: withPlugin + "global: {platform: openshift}",
            change: ranges
        ),
        Pair(
            input: "traffic-params.yaml",
            output: "traffic-params.yaml.injected",
            settings: without + """
                global:
                  proxy:
                    includeIPRanges: 127.0.0.1/24,10.96.0.1/24
                    excludeIPRanges: 10.96.0.2/24,10.96.0.3/24
                    excludeInboundPorts: 4,5,6
                    statusPort: 0
                """
        ),
        Pair(
            input: "traffic-annotations.yaml",
            output: "traffic-annotations.yaml.injected",
            settings: without
                + "meshConfig: {defaultConfig: {proxyMetadata: {ISTIO_META_TLS_CLIENT_KEY: /etc/identity/client/keys/client-key.pem}}}"
        ),
        Pair(input: "hello-host-network.yaml", output: "hello-host-network.yaml.injected", settings: without),
    ]

    @Test(.tags(.s4, .s8, .s21, .s24, .s25), arguments: pairs)
    func `injection agrees in what the project depends on`(pair: Pair) throws {
        var injection = Injection(settings: MeshSettings(values: try Self.document(pair.settings)))
        pair.change(&injection)
        let input = try Self.fixture(pair.input)

        let made = try injection.inject(input).documents

        let expected = try Self.fixture(pair.output)
        #expect(made.count == expected.count)
        for (one, other) in zip(made, expected) {
            let (ours, theirs) = (Self.essence(of: one), Self.essence(of: other))
            for key in Set(ours.keys).union(theirs.keys).sorted() {
                #expect(
                    ours[key] == theirs[key],
                    "\(key): \(ours[key] ?? "absent"), upstream's \(theirs[key] ?? "absent")"
                )
            }
        }
    }

    @Test func `every recorded output has its row`() {
        let outputs = UpstreamFixtures.names(in: "injection").filter { $0.hasSuffix(".injected") }

        #expect(outputs.sorted() == Self.pairs.map { $0.output }.sorted())
        #expect(outputs.count == 14)
    }

    @Test(arguments: [
        ("traffic-annotations-bad-excludeinboundports.yaml", "excludeInboundPorts"),
        ("traffic-annotations-bad-excludeipranges.yaml", "excludeOutboundIPRanges"),
        ("traffic-annotations-bad-excludeoutboundports.yaml", "excludeOutboundPorts"),
        ("traffic-annotations-bad-includeinboundports.yaml", "includeInboundPorts"),
        ("traffic-annotations-bad-includeipranges.yaml", "includeOutboundIPRanges"),
    ])
    func `what the injector refuses is refused, under the workload's and the annotation's name`(
        file: String,
        annotation: String
    ) throws {
        let documents = try Self.fixture(file)

        for usesPlugin in [true, false] {
            var settings = MeshSettings()
            settings.usesPlugin = usesPlugin
            let failure = #expect(throws: Injection.Failure.self) {
                _ = try Injection(settings: settings).inject(documents)
            }
            #expect(
                failure?.description.contains("Deployment default/traffic: ") == true,
                "\(String(describing: failure))"
            )
            #expect(failure?.description.contains("traffic.sidecar.istio.io/\(annotation)") == true)
        }
    }

    // MARK: - What counts

    /// The annotations and labels that plugin, validation and Multus look at, or that say what was done.
    private static let annotations: Set<String> = [
        "istio.io/rev", "kubectl.kubernetes.io/default-container", "k8s.v1.cni.cncf.io/networks",
        "sidecar.istio.io/interceptionMode", "sidecar.istio.io/proxyCPU", "prometheus.io/port",
    ]

    /// What plugin and validation depend on, by name: containers in their order, the arguments and the security context of
    /// the init container, the same of the proxy but for its other arguments, annotations, labels.
    private static func essence(of document: JSONValue) -> [String: String] {
        let pod = document["kind"]?.string == "Pod" ? document : document["spec"]?["template"] ?? .null
        var essence: [String: String] = [:]
        for list in ["initContainers", "containers"] {
            let containers = pod["spec"]?[list]?.array ?? []
            essence[list] = containers.map { $0["name"]?.string ?? "" }.joined(separator: " ")
            for container in containers {
                let name = container["name"]?.string ?? ""
                guard ["istio-init", "istio-validation", "istio-proxy"].contains(name) else { continue }
                let arguments = (container["args"]?.strings ?? []).prefix(name == "istio-proxy" ? 2 : 100)
                essence["\(name) args"] = arguments.joined(separator: " ")
                essence["\(name) restartPolicy"] = container["restartPolicy"]?.string
                essence["\(name) image"] = container["image"]?.string
                for member in container["securityContext"]?.members ?? [] {
                    essence["\(name) \(member.name)"] = member.value.text()
                }
                for variable in container["env"]?.array ?? [] {
                    let key = variable["name"]?.string ?? ""
                    guard key.hasPrefix("ISTIO_META_INTERCEPTION") || key == "FOO" || key.contains("CLIENT_KEY") else {
                        continue
                    }
                    essence["\(name) \(key)"] = variable["value"]?.string
                }
            }
        }
        for member in pod["metadata"]?["annotations"]?.members ?? []
        where annotations.contains(member.name) || member.name.hasPrefix("traffic.sidecar.istio.io/") {
            let value = member.value.string ?? ""
            // Multus reads JSON as JSON: blanks say nothing.
            essence[member.name] = (try? JSONValue(parsing: Array(value.utf8)).text()) ?? value
        }
        let status = pod["metadata"]?["annotations"]?["sidecar.istio.io/status"]?.string
        if let status, let value = try? JSONValue(parsing: Array(status.utf8)) {
            for key in ["initContainers", "containers", "revision"] { essence["status \(key)"] = value[key]?.text() }
        }
        for (name, value) in pod["metadata"]?["labels"]?.stringsByName ?? [:] { essence["label \(name)"] = value }
        return essence
    }

    private static func fixture(_ name: String) throws -> [JSONValue] {
        try YAMLDocuments.read(String(decoding: UpstreamFixtures.bytes("injection/\(name)"), as: UTF8.self))
            .filter { !$0.isNull }
    }

    private static func document(_ text: String) throws -> JSONValue {
        try YAMLDocuments.read(text).first ?? .object([])
    }
}
