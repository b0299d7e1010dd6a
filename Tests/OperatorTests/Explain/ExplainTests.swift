import CNIProtocol
import Foundation
import Redirect
import TestSupport
import Testing

@testable import Operator

/// What is said about a pod, in words and as a picture.
@Suite struct ExplainTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        .standardized

    /// Five pods: plain; TPROXY, two stacks and DNS; much excluded; a gateway; machines, and a second network.
    static let pods = [
        "examples/reviews.yaml", "examples/tproxy-dns.yaml", "examples/exclusions.yaml",
        "Tests/OperatorTests/Explain/Pods/gateway.yaml", "Tests/OperatorTests/Explain/Pods/machines.yaml",
    ]

    @Test(arguments: pods)
    func `the words about a pod are those of the golden file`(path: String) throws {
        let text = ExplainText(try Self.explained(path), hasColour: false).text

        let name = URL(filePath: path).deletingPathExtension().lastPathComponent
        try expectGolden(text, in: Self.root.appending(path: "Tests/OperatorTests/Explain/Golden/\(name).txt"))
    }

    @Test(arguments: pods)
    func `the picture of a pod is the golden file`(path: String) throws {
        let picture = TrafficPicture(try Self.explained(path)).drawing

        let name = URL(filePath: path).deletingPathExtension().lastPathComponent
        try expectGolden(picture.svg, in: Self.root.appending(path: "docs/pictures/\(name).svg"))
        let png = try Data(contentsOf: Self.root.appending(path: "docs/pictures/\(name).png"))
        #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]), "scripts/pictures makes it")
    }

    /// Also of every recorded pod, and of one whose name and lists are as long as they can be.
    @Test func `no text of a picture overlaps another or leaves the picture`() throws {
        var pods = try Self.pods.map { try Self.explained($0) }
        pods += try Self.recorded().compactMap { try? ExplainedPod($0.manifest, $0.circumstances) }
        pods += try [Self.longestPod, Self.warnedPod].map { try Self.explained(manifest: $0) }

        #expect(pods.count == 5 + 108 + 2)
        for pod in pods {
            let drawing = TrafficPicture(pod).drawing
            for (index, text) in drawing.texts.enumerated() {
                let isInside =
                    text.left >= 0 && text.right <= drawing.width && text.top >= 0 && text.bottom <= drawing.height
                #expect(isInside, "\(pod.name): \(text)")
                for other in drawing.texts[..<index] {
                    let isApart =
                        text.right <= other.left || other.right <= text.left || text.bottom <= other.top
                        || other.bottom <= text.top
                    #expect(isApart, "\(pod.name): \(text.string) and \(other.string)")
                }
            }
        }
    }

    @Test func `a step of the decision is told as it is, whether the pod goes on there or not`() throws {
        let sidecar = try Self.explained(manifest: Self.sidecar(""))
        let plain = try Self.explained(manifest: "kind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: app}]}")
        let host = try Self.explained(manifest: Self.sidecar("hostNetwork: true, "))

        #expect(sidecar.steps.map { $0.statement }.contains("has a container istio-proxy"))
        #expect(plain.steps.last?.statement == "has no container istio-proxy")
        #expect(ExplainText(plain, hasColour: false).text.contains("\n  =>  has no container istio-proxy\n"))
        #expect(host.steps.map { $0.statement } == ["is on the host's network"])
    }

    @Test func `warnings are in the picture, so that it promises no more than the words`() throws {
        let texts = TrafficPicture(try Self.explained(manifest: Self.warnedPod)).drawing.texts.map { $0.string }

        #expect(texts.contains { $0.hasPrefix("probably nothing is redirected: pods of the runtime class") })
        #expect(texts.contains { $0.hasPrefix("init container app-0 runs as user 1337") })
        #expect(texts.contains("and 5 more"))
    }

    @Test func `text from outside is text in the picture, whatever it holds`() {
        #expect(Drawing.escaped("<a href=\"x\">&\u{1}") == "&lt;a href=&quot;x&quot;&gt;&amp;\u{FFFD}")
    }

    @Test func `all recorded pods are explained, and the twelve that are refused name the annotation`() throws {
        var refused = 0
        for recorded in try Self.recorded() {
            do throws(ExplainedPod.Failure) {
                let pod = try ExplainedPod(recorded.manifest, recorded.circumstances)
                #expect((pod.plan != nil) == recorded.isRedirected, "\(recorded.manifest.name): \(pod.sentence)")
                #expect(pod.steps.last?.decides == (pod.plan == nil))
            } catch {
                refused += 1
                let isNamed = Annotation.allCases.contains { error.description.contains($0.name) }
                #expect(isNamed && error.description.contains(recorded.manifest.name), "\(error)")
            }
        }
        #expect(refused == 12)
    }

    @Test func `a pod on the host's network is not redirected, whatever else it says`() throws {
        let pod = try Self.explained(manifest: Self.sidecar("hostNetwork: true, "))

        #expect(pod.sentence.contains("host's network"))
        #expect(pod.steps.map { $0.decides } == [true])
    }

    @Test(arguments: [
        ("", ["10.0.0.2"], "IPv6, all of it", true), ("", ["10.0.0.2", "fd00::2"], "IPv6, all of it", true),
        ("ISTIO_DUAL_STACK", ["10.0.0.2", "fd00::2"], "IPv6, all of it", false),
        ("", ["fd00::2"], "IPv6, all of it", false),
        ("ISTIO_META_DNS_CAPTURE", ["10.0.0.2"], "UDP but for DNS, ICMP and other protocols", true),
    ])
    func `what is not captured follows from the plan`(
        variable: String,
        addresses: [String],
        gap: String,
        isThere: Bool
    ) throws {
        var circumstances = ExplainedPod.Circumstances()
        circumstances.addresses = addresses
        let manifest = try PodManifest(Self.sidecar("", variable: variable))

        let plan = try #require(try ExplainedPod(manifest, circumstances).plan)

        #expect(CaptureGap.all(of: plan).contains { $0.what == gap } == isThere)
    }

    // MARK: - Pods

    private static func explained(_ path: String) throws -> ExplainedPod {
        try explained(manifest: String(contentsOf: root.appending(path: path), encoding: .utf8))
    }

    private static func explained(manifest: String) throws -> ExplainedPod { try ExplainedPod(PodManifest(manifest)) }

    private static func sidecar(_ spec: String, variable: String = "") -> String {
        let environment = variable.isEmpty ? "" : ", env: [{name: \(variable), value: \"true\"}]"
        return """
            kind: Pod
            metadata: {name: a, namespace: b, annotations: {sidecar.istio.io/status: '{}'}}
            spec: {\(spec)containers: [{name: istio-proxy, args: [proxy, sidecar]\(environment)}]}
            """
    }

    /// With twelve containers that run as the proxy does, in a runtime that no rules reach.
    private static let warnedPod: String = {
        let containers = (0..<12).map { "{name: app-\($0), securityContext: {runAsUser: 1337}}" }
        let runtime = "kata-\(String(repeating: "x", count: 240))"
        return sidecar("runtimeClassName: \(runtime), initContainers: [\(containers.joined(separator: ", "))], ")
    }()

    private static let longestPod: String = {
        let ports = (1_000..<1_400).map(String.init).joined(separator: ",")
        let ranges = (0..<200).map { "10.\($0).128.0/17" }.joined(separator: ",")
        return """
            kind: Pod
            metadata:
              name: \(String(repeating: "n", count: 253))
              namespace: \(String(repeating: "m", count: 63))
              annotations:
                sidecar.istio.io/status: '{}'
                traffic.sidecar.istio.io/excludeOutboundPorts: "\(ports)"
                traffic.sidecar.istio.io/includeInboundPorts: "\(ports)"
                traffic.sidecar.istio.io/excludeOutboundIPRanges: "\(ranges)"
                traffic.sidecar.istio.io/includeOutboundIPRanges: "\(ranges)"
            spec: {containers: [{name: istio-proxy, args: [proxy, sidecar]}]}
            """
    }()
}

extension ExplainTests {
    struct Recorded {
        let manifest: PodManifest
        let circumstances: ExplainedPod.Circumstances

        /// Whether upstream's plugin made rules.
        let isRedirected: Bool
    }

    static func recorded() throws -> [Recorded] {
        try RecordedCase.all().map { recorded in
            var circumstances = ExplainedPod.Circumstances()
            circumstances.addresses = recorded.addresses
            return Recorded(
                manifest: try PodManifest(json: JSONValue(parsing: Array(recorded.podDocument))),
                circumstances: circumstances,
                isRedirected: recorded.expected.exit == 0
                    && recorded.expected.iptables.contains { $0.contains("ISTIO_OUTPUT") }
                    || recorded.expected.ip6tables.contains { $0.contains("ISTIO_OUTPUT") }
            )
        }
    }
}
