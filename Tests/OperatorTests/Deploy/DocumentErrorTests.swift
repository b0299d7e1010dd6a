import Testing

@testable import Operator

/// What is said about documents that are wrong.
@Suite struct DocumentErrorTests {
    @Test(
        arguments: [
            ("components: {cni: {enable: true}}", "spec.components.cni.enable: no such field; did you mean enabled?"),
            ("component: {cni: {enabled: true}}", "spec.component: no such field; did you mean components?"),
            ("components: {cni: {enabled: yess}}", "spec.components.cni.enabled: is a string, want boolean"),
            (
                "values: {cniBinDir: /x}",
                "spec.values.cniBinDir: no such field; did you mean spec.values.cni.cniBinDir?"
            ),
            (
                "values: {cni: {exludeNamespaces: [a]}}",
                "spec.values.cni.exludeNamespaces: no such field; did you mean excludeNamespaces?"
            ),
            ("values: {cni: {excludeNamespaces: a}}", "spec.values.cni.excludeNamespaces: is a string, want array"),
            (
                "values: {cni: {repair: {lablePods: true}}}",
                "spec.values.cni.repair.lablePods: no such field; did you mean labelPods?"
            ),
            (
                "values: {cni: {affinity: {nodeAfinity: {}}}}",
                "spec.values.cni.affinity.nodeAfinity: no such field; did you mean nodeAffinity?"
            ),
            (
                "values: {cni: {pullPolicy: IfNotpresent}}",
                "spec.values.cni.pullPolicy: \"IfNotpresent\" is none of Always, IfNotPresent, Never; did you mean IfNotPresent?"
            ),
            (
                "components: {cni: {k8s: {tolerations: [{efect: NoExecute}]}}}",
                "spec.components.cni.k8s.tolerations[0].efect: no such field; did you mean effect?"
            ),
            ("hub: 'a b'", "spec.hub: a b is no registry with a path"),
            ("tag: a/b", "spec.tag: a/b is no tag of an image"),
            (
                "revision: 1.30-x",
                "spec.revision: 1.30-x is no name: want small letters, digits and - between, at most 63"
            ),
            ("profile: demmo", "spec.profile: there is no profile demmo; did you mean demo?"),
        ]
    )
    func `a wrong field is named with its path, and with what was meant`(spec: String, message: String) {
        let error = #expect(throws: DocumentError.self) { try TestDocument.read(spec: spec) }

        #expect(error?.description == message)
    }

    @Test func `all wrong fields are named at once`() {
        let error = #expect(throws: DocumentError.self) {
            try TestDocument.read(spec: "vlues: {}\ntag: a/b\nvalues: {cni: {chaned: true}}")
        }

        #expect(error?.findings.map(\.path) == ["spec.vlues", "spec.values.cni.chaned", "spec.tag"])
    }

    @Test(arguments: [
        ("kind: IstioOperator", "apiVersion: file 0 has none, want install.istio.io/v1alpha1"),
        ("apiVersion: install.istio.io/v1alpha1\nkind: Pod", "kind: file 0 has Pod, want IstioOperator"),
        ("- a", "file 0: is no IstioOperator document"), ("", "file 0: holds 0 documents, want one IstioOperator"),
        ("a: 1\n---\nb: 1", "file 0: holds 2 documents, want one IstioOperator"),
    ])
    func `what is no IstioOperator document is refused`(text: String, message: String) {
        let error = #expect(throws: DocumentError.self) { try TestDocument.read(texts: [text]) }

        #expect(error?.description == message)
    }

    @Test(arguments: [
        ("nodeSelector: {disk: ssd}", "nodeSelector: the chart has no value for it; say it as affinity.nodeAffinity"),
        ("replicaCount: 2", "replicaCount: a DaemonSet has one pod a node"),
        ("readinessProbe: {}", "readinessProbe: the chart's probe is the agent's own"),
        ("env: [{name: A, valueFrom: {}}]", "env[0].valueFrom: the chart's env has plain values only"),
        (
            "overlays: [{kind: ConfigMap, name: istio-cni-config, patches: []}]",
            "overlays[0]: only DaemonSet istio-cni-node can be changed; for others use Helm's values"
        ),
        (
            "securityContext: {runAsUser: 5}",
            "securityContext.runAsUser: the agent's rights and user are fixed; see docs/threat-model.md"
        ),
    ])
    func `a setting of Kubernetes that no value carries is refused, never dropped`(setting: String, message: String) {
        let error = #expect(throws: DocumentError.self) {
            try TestDocument.plan(spec: "components: {cni: {enabled: true, k8s: {\(setting)}}}")
        }

        #expect(error?.description == "spec.components.cni.k8s.\(message)")
    }

    @Test(arguments: [
        ("tag: a", "spec.hub: is not set, and no public registry holds this image yet: --set hub=REGISTRY"),
        (
            "hub: docker.io/istio",
            "spec.hub: docker.io/istio holds Istio's own agent, not this one: --set components.cni.hub=REGISTRY, and the tag "
                + "if it is Istio's too"
        ),
        (
            "hub: r.example/x\nvalues: {global: {hub: gcr.io/istio-release}}",
            "spec.values.global.hub: gcr.io/istio-release holds Istio's own agent, not this one: "
                + "--set components.cni.hub=REGISTRY, and the tag if it is Istio's too"
        ),
        (
            "hub: r.example/x\nvalues: {cni: {hub: registry.istio.io/release}}",
            "spec.values.cni.hub: registry.istio.io/release holds Istio's own agent, not this one: "
                + "--set values.cni.hub=REGISTRY, and the tag if it is Istio's too"
        ),
        (
            "hub: r.example/x\nvalues: {cni: {image: istio/install-cni:1.30.0}}",
            "spec.values.cni.image: istio/install-cni:1.30.0 holds Istio's own agent, not this one: "
                + "--set values.cni.image=REGISTRY/install-cni:TAG, and the tag if it is Istio's too"
        ),
    ])
    func `no registry, and one of Istio's own, cannot give this agent's image`(fields: String, message: String) throws {
        let plan = try TestDocument.plan(spec: "components: {cni: {enabled: true}}\n\(fields)")

        #expect(plan.imageFinding?.description == message)
    }

    @Test(arguments: [
        "hub: r.example/istio", "hub: localhost:5000/istio", "hub: docker.io/istio-mirror",
        "hub: docker.io/istio\nvalues: {cni: {hub: r.example/x}}",
        "hub: docker.io/istio\nvalues: {cni: {image: r.example/install-cni:1}}",
        "values: {cni: {image: r.example/install-cni:1}}",
    ])
    func `a registry of one's own is taken`(fields: String) throws {
        let plan = try TestDocument.plan(spec: "components: {cni: {enabled: true}}\n\(fields)")

        #expect(plan.imageFinding == nil)
    }

    @Test(arguments: ["", "profile: minimal", "components: {cni: {enabled: false}}"])
    func `a document that does not enable the agent has nothing to install`(spec: String) {
        let error = #expect(throws: DocumentError.self) { try TestDocument.plan(spec: spec) }

        #expect(error?.findings.map(\.path) == ["spec.components.cni.enabled"])
    }

    @Test(arguments: [
        ("", "", 0), ("enable", "enabled", 1), ("ab", "ba", 1), ("kitten", "sitting", 3), ("", "abc", 3),
        ("flaw", "lawn", 2),
    ])
    func `the distance of two names is the least number of changes`(one: String, two: String, changes: Int) {
        #expect(NearestName.distance(one, two) == changes)
        #expect(NearestName.distance(two, one) == changes)
    }
}
