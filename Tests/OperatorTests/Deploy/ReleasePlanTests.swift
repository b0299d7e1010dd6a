import CNIProtocol
import Conformance
import Testing

@testable import Operator

/// What Helm is told for a document.
@Suite struct ReleasePlanTests {
    @Test(
        .tags(.s16, .s27),
        arguments: [
            ("components: {cni: {enabled: true}}", "{}"),
            (
                "hub: a/b\ntag: '1.0'\nrevision: x\ncompatibilityVersion: '1.28'\ncomponents: {cni: {enabled: true}}",
                "{global: {hub: a/b, tag: '1.0'}, revision: x, compatibilityVersion: '1.28'}"
            ),
            (
                "hub: a\ncomponents: {cni: {enabled: true, hub: b, tag: t}}\nvalues: {global: {hub: c}}",
                "{global: {hub: c}, cni: {hub: b, tag: t}}"
            ),
            (
                "components: {cni: {enabled: true, hub: b}}\nvalues: {cni: {hub: c, chained: false}}",
                "{cni: {hub: c, chained: false}}"
            ),
            (
                "components: {cni: {enabled: true}}\nvalues: {cni: {terminationGracePeriodSeconds: 9}, pilot: {x: 1}}\n"
                    + "unvalidatedValues: {cni: {terminationGracePeriodSeconds: 5}}",
                "{cni: {terminationGracePeriodSeconds: 5}}"
            ),
            (
                "components: {cni: {enabled: true, k8s: {tolerations: [{operator: Exists}], resources: {limits: {cpu: 1}}, "
                    + "imagePullPolicy: Always, env: [{name: A, value: b}], strategy: {type: OnDelete}}}}\n"
                    + "values: {cni: {tolerations: [{key: a}], resources: {requests: {cpu: 2}}}}",
                "{cni: {tolerations: [{operator: Exists}], resources: {requests: {cpu: 2}, limits: {cpu: 1}}, "
                    + "pullPolicy: Always, env: {A: b}, updateStrategy: {type: OnDelete}}}"
            ),
            (
                "components: {cni: {enabled: true, k8s: {overlays: [{kind: DaemonSet, name: istio-cni-node, patches: "
                    + "[{path: spec.template.metadata.annotations.a\\.b/c, value: d}]}]}}}",
                "{cni: {podAnnotations: {a.b/c: d}}}"
            ),
            ("profile: openshift", "{global: {platform: openshift}}"), ("profile: ambient", "{profile: ambient}"),
            ("profile: demo\ncomponents: {cni: {enabled: true}}", "{profile: demo}"),
        ]
    )
    func `fields become values of the chart, later ones over earlier ones`(spec: String, values: String) throws {
        let plan = try TestDocument.plan(spec: spec)

        #expect(plan.values.isSame(as: try #require(try YAMLDocuments.read(values).first)), "\(plan.values.text())")
    }

    @Test(arguments: [
        ("components: {cni: {enabled: true}}", "istio-system"),
        ("components: {cni: {enabled: true, namespace: kube-system}}", "kube-system"),
        ("components: {cni: {enabled: true}}\nvalues: {global: {istioNamespace: mesh}}", "mesh"),
        ("profile: openshift", "kube-system"),
    ])
    func `the agent is in its own namespace, or in the control plane's`(spec: String, namespace: String) throws {
        #expect(try TestDocument.plan(spec: spec).namespace == namespace)
    }

    @Test func `files merge in their order, and settings come last`() throws {
        let start = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n"
        let one =
            "spec: {tag: a, hub: h, components: {cni: {enabled: true}}, values: {cni: {excludeNamespaces: [a, b]}}}"
        let two = "spec: {tag: b, values: {cni: {excludeNamespaces: [c]}}}"

        let document = try TestDocument.read(texts: [start + one, start + two], settings: ["tag=1.10"])
        let plan = try ReleasePlan(document)

        #expect(plan.values[path: ["global", "tag"]] == .string("1.10"))
        #expect(plan.values[path: ["global", "hub"]] == .string("h"))
        #expect(plan.values[path: ["cni", "excludeNamespaces"]]?.strings == ["c"])
    }

    @Test func `the document's name becomes the owner's`() throws {
        let text =
            "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: mesh}\n"
            + "spec: {components: {cni: {enabled: true}}}"

        let plan = try ReleasePlan(try TestDocument.read(texts: [text]))

        #expect(plan.values["ownerName"] == .string("mesh"))
    }

    @Test(
        .tags(.s20),
        arguments: [
            ("", "kube-system", false), ("namespace: istio-system", "istio-system", nil),
        ] as [(String, String, Bool?)]
    )
    func `on GKE the quota is off in kube-system, and elsewhere what the platform has: on`(
        field: String,
        namespace: String,
        quota: Bool?
    ) throws {
        let server = ServerVersion("v1.32.4-gke.1234")

        let plan = try TestDocument.plan(spec: "components: {cni: {enabled: true, \(field)}}", server: server)

        #expect(plan.namespace == namespace)
        #expect(plan.values[path: ["global", "platform"]] == .string("gke"))
        #expect(plan.values[path: ["cni", "resourceQuotas", "enabled"]]?.bool == quota)
        #expect(plan.values[path: ["cni", "cniBinDir"]] == .string("/home/kubernetes/bin"))
    }

    @Test func `what people say about the quota is left alone`() throws {
        let plan = try TestDocument.plan(
            spec: "components: {cni: {enabled: true}}\nvalues: {cni: {resourceQuotas: {enabled: true}}}",
            server: ServerVersion("v1.32.4-gke.1234")
        )

        #expect(plan.values[path: ["cni", "resourceQuotas", "enabled"]] == .bool(true))
    }

    @Test(
        .tags(.s24),
        arguments: [
            ("components: {cni: {enabled: true}}", true), ("components: {cni: {namespace: a}}", false),
            ("components: {cni: {enabled: true}}\nvalues: {pilot: {cni: {enabled: false}}}", false),
        ]
    )
    func `the control plane uses the agent where the component or its own value says so`(
        spec: String,
        uses: Bool
    ) throws {
        #expect(try TestDocument.plan(spec: spec).controlPlaneUsesAgent == uses)
    }

    @Test func `other components are listed with the commands that install them`() throws {
        let plan = try TestDocument.plan(
            spec:
                "revision: blue\ncomponents: {cni: {enabled: true}, egressGateways: [{name: out, enabled: true, namespace: x}]}"
        )

        #expect(
            plan.others.map(\.command) == [
                "helm upgrade --install istio-base istio/base -n istio-system --create-namespace",
                "helm upgrade --install istiod-blue istio/istiod -n istio-system --set revision=blue --set pilot.cni.enabled=true",
                "helm upgrade --install istio-ingressgateway istio/gateway -n istio-system --set revision=blue",
                "helm upgrade --install out istio/gateway -n x --set revision=blue",
            ]
        )
        #expect(try TestDocument.plan(spec: "profile: empty\ncomponents: {cni: {enabled: true}}").others.isEmpty)
    }

    @Test(
        .tags(.s20, .s24),
        arguments: [
            ("profile: openshift", "-n istio-system --set pilot.cni.enabled=true --set global.platform=openshift"),
            (
                "components: {cni: {enabled: true}}\nvalues: {global: {platform: k3s}}",
                "-n istio-system --set pilot.cni.enabled=true --set global.platform=k3s"
            ),
            (
                "components: {cni: {enabled: true}}\nvalues: {cni: {provider: multus}}",
                "-n istio-system --set pilot.cni.enabled=true --set pilot.cni.provider=multus"
            ),
            (
                "components: {cni: {enabled: true}}\nvalues: {global: {istioNamespace: mesh}}",
                "-n mesh --set pilot.cni.enabled=true --set global.istioNamespace=mesh"
            ),
            (
                "components: {cni: {enabled: true}, pilot: {namespace: plane}}",
                "-n plane --create-namespace --set pilot.cni.enabled=true"
            ),
            (
                "components: {cni: {enabled: true}, istiodRemote: {enabled: true}}",
                "-n istio-system --set pilot.cni.enabled=true"
            ),
        ]
    )
    func `istiod's command has what the document says of platform and namespaces, and stands there once`(
        spec: String,
        arguments: String
    ) throws {
        let commands = try TestDocument.plan(spec: spec).others.map(\.command)

        let found = commands.filter { $0.contains("istio/istiod") }
        #expect(found == ["helm upgrade --install istiod istio/istiod \(arguments)"])
    }

    @Test(arguments: [
        ("namespace: a", "spec.namespace has no effect"), ("tag: 1.30", "spec.tag is the number 1.3"),
        ("installPackagePath: /x", "spec.installPackagePath has no effect"),
        ("values: {cni: {tag: 1.30}}", "spec.values.cni.tag is the number 1.3"),
    ])
    func `what is done otherwise than written is said`(field: String, note: String) throws {
        let plan = try TestDocument.plan(spec: "components: {cni: {enabled: true}}\n\(field)")

        #expect(plan.notes.count == 1)
        #expect(plan.notes.first?.hasPrefix(note) == true, "\(plan.notes)")
    }

    @Test(arguments: [
        ("profile: ambient", true), ("profile: openshift-ambient", true),
        ("profile: ambient\nvalues: {cni: {ambient: {enabled: false}}}", false),
        ("components: {cni: {enabled: true}}\nvalues: {cni: {ambient: {enabled: true}}}", true),
        ("components: {cni: {enabled: true}}", false),
    ])
    func `ambient mode is noticed, since this agent has none`(spec: String, asks: Bool) throws {
        #expect(try TestDocument.plan(spec: spec).asksForAmbient == asks)
    }
}

extension JSONValue {
    /// Whether both say the same, whatever the order of members.
    func isSame(as other: JSONValue) -> Bool { sorted == other.sorted }

    private var sorted: JSONValue {
        switch self {
        case .object(let members):
            .object(members.map { JSONMember($0.name, $0.value.sorted) }.sorted { $0.name < $1.name })
        case .array(let elements): .array(elements.map(\.sorted))
        default: self
        }
    }
}
