import CNIProtocol
import Conformance
import LinuxKernel
import Redirect
import TestSupport
import Testing

@testable import Operator

/// What injection does beside upstream's pairs, and what becomes of its result.
@Suite struct InjectionTests {
    private static let plain = """
        kind: Pod
        metadata: {name: shop, namespace: web, labels: {app: shop}}
        spec: {initContainers: [{name: migrate}], containers: [{name: shop}]}
        """

    /// https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline, "Capabilities".
    private static let baseline: Set<String> = [
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    ]

    @Test(.tags(.s4, .s9), arguments: [true, false])
    func `with the plugin an injected pod keeps to the Baseline standard, without it does not`(usesPlugin: Bool) throws
    {
        var settings = MeshSettings()
        settings.usesPlugin = usesPlugin

        let pod = try Self.inject(Self.plain, settings)

        let containers = ["initContainers", "containers"].flatMap { pod["spec"]?[$0]?.array ?? [] }
        let added = containers.flatMap { $0["securityContext"]?["capabilities"]?["add"]?.strings ?? [] }
        let isRoot = containers.contains { $0["securityContext"]?["runAsUser"]?.integer == 0 }
        #expect(Set(added).isSubset(of: Self.baseline) == usesPlugin, "\(added)")
        #expect(isRoot == !usesPlugin)
    }

    @Test(
        .tags(.s29, .s33a),
        arguments: [
            (true, true, ["istio-validation", "istio-proxy", "migrate"], ["shop"]),
            (true, false, ["istio-validation", "migrate"], ["shop", "istio-proxy"]),
            (false, true, ["istio-init", "istio-proxy", "migrate"], ["shop"]),
            (false, false, ["migrate", "istio-init"], ["shop", "istio-proxy"]),
        ]
    )
    func `validation comes before all other init containers`(
        usesPlugin: Bool,
        isNative: Bool,
        initContainers: [String],
        containers: [String]
    ) throws {
        var settings = MeshSettings()
        settings.usesPlugin = usesPlugin
        settings.hasNativeSidecars = isNative

        let pod = try Self.inject(Self.plain, settings)

        #expect(pod["spec"]?["initContainers"]?.array?.compactMap { $0["name"]?.string } == initContainers)
        #expect(pod["spec"]?["containers"]?.array?.compactMap { $0["name"]?.string } == containers)
    }

    @Test func `what is injected twice is what is injected once`() throws {
        let injection = Injection(settings: MeshSettings())
        let once = try injection.inject(try YAMLDocuments.read(Self.plain))

        let twice = try injection.inject(once.documents)

        #expect(twice.documents == once.documents)
        #expect(twice.notes == ["Pod web/shop: left as it is: it has been injected already"])
    }

    @Test func `an injected pod is redirected, and a plain one is not`() throws {
        let plain = try ExplainedPod(PodManifest(Self.plain))
        let injected = try ExplainedPod(PodManifest(json: Self.inject(Self.plain, MeshSettings())))

        #expect(plain.plan == nil)
        #expect(injected.plan?.inboundPorts == .all(except: [15_020, 15_021, 15_090]))
    }

    @Test(arguments: [
        ("metadata: {name: a, namespace: kube-system}", "the namespace kube-system is never injected"),
        ("metadata: {name: a, labels: {sidecar.istio.io/inject: \"false\"}}", "sidecar.istio.io/inject is \"false\""),
        (
            "metadata: {name: a, annotations: {sidecar.istio.io/inject: \"false\"}}",
            "sidecar.istio.io/inject is \"false\""
        ),
    ])
    func `what is never injected is left, and the reason is said`(metadata: String, reason: String) throws {
        let documents = try YAMLDocuments.read("kind: Pod\n\(metadata)\nspec: {containers: [{name: a}]}")

        let outcome = try Injection(settings: MeshSettings()).inject(documents)

        #expect(outcome.documents == documents)
        #expect(outcome.notes.count == 1 && outcome.notes[0].hasSuffix(reason), "\(outcome.notes)")
    }

    @Test func `workloads of every kind are found, in lists too, and the rest passes`() throws {
        let pod = "{spec: {containers: [{name: a}]}}"
        let documents = try YAMLDocuments.read(
            """
            {kind: Service, metadata: {name: s}}
            ---
            {kind: CronJob, metadata: {name: c}, spec: {jobTemplate: {spec: {template: \(pod)}}}}
            ---
            {kind: List, items: [{kind: StatefulSet, metadata: {name: d}, spec: {template: \(pod)}}]}
            """
        )

        let made = try Injection(settings: MeshSettings()).inject(documents).documents

        #expect(made[0] == documents[0])
        let inner = made[1][path: ["spec", "jobTemplate", "spec", "template", "spec", "initContainers"]]?.array
        #expect(inner?.count == 2)
        #expect(
            made[2]["items"]?.array?.first?[path: ["spec", "template", "spec", "initContainers"]]?.array?.count == 2
        )
    }

    @Test(
        arguments: [
            ("1000620000/10000", nil, 1_000_629_999, 1_000_629_999), ("1000-1999", nil, 1_999, 1_999),
            ("1000620000/10000", "2000/10,5000/1", 1_000_629_999, 2_009), ("10/0", nil, nil, nil),
            ("9-5", nil, nil, nil),
            ("4294967290/100", nil, nil, nil), ("x/1", nil, nil, nil), ("9223372036854775807/2", nil, nil, nil),
            ("", nil, nil, nil),
        ] as [(String, String?, Int?, Int?)]
    )
    func `OpenShift's ranges give the last user and group`(users: String, groups: String?, user: Int?, group: Int?) {
        let made = ProxyUser(userRange: users, groupRange: groups)

        #expect(made?.user == user)
        #expect(made?.group == group)
    }

    @Test(arguments: [
        ("a.b=1", ["a", "b"], JSONValue.integer(1)), ("a=true", ["a"], .bool(true)),
        ("a.tag=1.30", ["a", "tag"], .string("1.30")),
        ("a\\.b.c=x=y", ["a.b", "c"], .string("x=y")), ("l={a,2}", ["l"], .array([.string("a"), .integer(2)])),
        ("m.proxyMetadata.X=true", ["m", "proxyMetadata", "X"], .string("true")), ("a=", ["a"], .string("")),
    ])
    func `a set expression is a path and a value with its kind`(text: String, path: [String], value: JSONValue) throws {
        let expression = try SetExpression(text)

        #expect(expression.path == path)
        #expect(expression.value == value)
    }

    @Test(arguments: ["a", "=b", "a..b=1", "a.=1"])
    func `a set expression without a path is refused`(text: String) {
        #expect(throws: SetExpression.Failure.self) { _ = try SetExpression(text) }
    }

    private static func inject(_ text: String, _ settings: MeshSettings) throws -> JSONValue {
        try #require(try Injection(settings: settings).inject(try YAMLDocuments.read(text)).documents.first)
    }
}
