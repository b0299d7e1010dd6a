import Conformance
import Redirect
import TestSupport
import Testing

/// The order in which a pod is looked at is upstream's: the first reason to leave it alone is the one that counts.
@Suite(.tags(.s13)) struct DecisionTests {
    static let settings = EarlyDecision.Settings(agentNamespace: "istio-system", excludedNamespaces: ["kube-system"])

    @Test(arguments: [
        ("istio-cni-node-x7k", "istio-system", EarlyDecision.skip(.agentPod)),
        ("istio-cni-node-", "istio-system", .skip(.agentPod)),
        ("istio-cni-node", "istio-system", .askAgent),
        ("istio-cni-node-x7k", "default", .askAgent),
        ("", "default", .skip(.notKubernetes)),
        ("reviews-1", "", .skip(.notKubernetes)),
        ("reviews-1", "kube-system", .skip(.namespaceExcluded)),
        ("reviews-1", "kube-system-2", .askAgent),
        ("reviews-1", "default", .askAgent),
    ])
    func `names alone decide about some pods`(name: String, namespace: String, expected: EarlyDecision) {
        let decision = EarlyDecision(
            podName: name,
            podNamespace: namespace,
            annotations: nil,
            settings: Self.settings
        )

        #expect(decision == expected)
    }

    @Test func `the agent's own pod passes even from an excluded namespace`() {
        var settings = Self.settings
        settings.excludedNamespaces.append("istio-system")

        let decision = EarlyDecision(
            podName: "istio-cni-node-x7k",
            podNamespace: "istio-system",
            annotations: [:],
            settings: settings
        )

        #expect(decision == .skip(.agentPod))
    }

    @Test(arguments: [
        (nil, false, EarlyDecision.askAgent),
        ([:], false, .skip(.notInjected)),
        (["sidecar.istio.io/inject": "true"], false, .skip(.notInjected)),
        (["sidecar.istio.io/status": ""], false, .askAgent),
        ([:], true, .askAgent),
    ])
    func `annotations of the runtime spare pods outside the mesh the agent`(
        annotations: [String: String]?,
        isAmbientEnabled: Bool,
        expected: EarlyDecision
    ) {
        var settings = Self.settings
        settings.isAmbientEnabled = isAmbientEnabled

        let decision = EarlyDecision(
            podName: "reviews-1",
            podNamespace: "default",
            annotations: annotations,
            settings: settings
        )

        #expect(decision == expected)
    }

    @Test(arguments: ["1", "t", "T", "true", "TRUE", "True"])
    func `DISABLE_ENVOY with Go's word for true skips a pod`(word: String) {
        #expect(Pod.injected(environment: ["DISABLE_ENVOY": word]).skipReason == .proxyless)
    }

    @Test(arguments: ["0", "f", "F", "false", "FALSE", "False", "", "yes", "tRUE", " true", "on", "2"])
    func `DISABLE_ENVOY with anything else skips nothing`(word: String) {
        #expect(Pod.injected(environment: ["DISABLE_ENVOY": word]).skipReason == nil)
    }

    @Test(arguments: [
        ([], nil),
        (["proxy"], nil),
        (["proxy", "sidecar"], nil),
        (["proxy", ""], nil),
        (["proxy", "router"], SkipReason.notSidecar),
        (["proxy", "waypoint"], .notSidecar),
        (["proxy", "Sidecar"], .notSidecar),
        (["istio", "router"], nil),
        (["--log", "proxy", "router"], nil),
    ])
    func `the arguments say whether a proxy is a sidecar`(arguments: [String], expected: SkipReason?) {
        var pod = Pod.injected()
        pod.containers[1].arguments = arguments

        #expect(pod.skipReason == expected)
    }

    /// Label, annotation, expectation; nil is absent.
    @Test(arguments: [
        (nil, nil, nil),
        (nil, "true", nil),
        (nil, "false", SkipReason.injectionDisabled),
        (nil, "0", .injectionDisabled),
        (nil, "F", .injectionDisabled),
        (nil, "no", nil),
        (nil, "", nil),
        ("false", nil, .injectionDisabled),
        ("false", "true", .injectionDisabled),
        ("true", "false", nil),
        ("", "false", nil),
        ("no", "false", nil),
    ])
    func `the label beats the annotation`(label: String?, annotation: String?, expected: SkipReason?) {
        var pod = Pod.injected()
        pod.labels[Annotation.inject.name] = label
        pod.annotations[Annotation.inject.name] = annotation

        #expect(pod.skipReason == expected)
    }

    @Test(arguments: [("", nil), ("{}", nil), (nil, SkipReason.notInjected)] as [(String?, SkipReason?)])
    func `the injector's mark counts whatever it says`(status: String?, expected: SkipReason?) {
        var pod = Pod.injected()
        pod.annotations[Annotation.status.name] = status

        #expect(pod.skipReason == expected)
    }

    @Test func `a pod without a proxy is skipped`() {
        var pod = Pod.injected()
        pod.containers.removeLast()

        #expect(pod.skipReason == .noProxyContainer)
    }

    @Test func `mode NONE skips a pod, whatever its other annotations`() {
        let pod = Pod.injected(annotations: [
            Annotation.interceptionMode.name: "NONE", Annotation.excludeInboundPorts.name: "none",
        ])

        #expect(pod.skipReason == .interceptionModeNone)
    }

    /// Takes one reason after the other away from a pod that has them all.
    @Test func `reasons are looked for in upstream's order`() {
        var pod = Pod.injected(
            annotations: [Annotation.interceptionMode.name: "NONE"],
            environment: [ProxyVariable.disableEnvoy.name: "true"]
        )
        pod.annotations[Annotation.status.name] = nil
        pod.labels[Annotation.inject.name] = "false"
        pod.containers[1].arguments = ["proxy", "router"]
        pod.containers.append(Pod.Container(name: "istio-init"))

        var reasons = [pod.skipReason]
        pod.containers.removeLast()
        reasons.append(pod.skipReason)
        pod.containers[1].environment = [:]
        reasons.append(pod.skipReason)
        pod.containers[1].arguments = []
        reasons.append(pod.skipReason)
        pod.labels = [:]
        reasons.append(pod.skipReason)
        pod.annotations[Annotation.status.name] = ""
        reasons.append(pod.skipReason)
        pod.annotations[Annotation.interceptionMode.name] = nil
        reasons.append(pod.skipReason)

        #expect(
            reasons == [
                .initContainer, .proxyless, .notSidecar, .injectionDisabled, .notInjected, .interceptionModeNone, nil,
            ]
        )
    }

    @Test func `later containers called istio-proxy win field by field`() throws {
        var pod = Pod.injected(environment: ["INVALID_DROP": "true", "ISTIO_META_DNS_CAPTURE": "true"], user: 11)
        pod.containers.append(
            Pod.Container(name: "istio-proxy", environment: ["INVALID_DROP": "false"], group: 22)
        )

        let plan = try redirection(of: pod).plan

        #expect(plan.proxyUsers == [11] && plan.proxyGroups == [22])
        #expect(plan.dns == .all && !plan.dropsInvalid)
    }

    @Test func `every reason has its own word and its own sentence`() {
        #expect(Set(SkipReason.allCases.map(\.rawValue)).count == SkipReason.allCases.count)
        #expect(Set(SkipReason.allCases.map(\.sentence)).count == SkipReason.allCases.count)
    }
}

/// What upstream's plugin did with 120 pods, and what we decide about them.
@Suite(.tags(.s13)) struct RecordedDecisionTests {
    /// The annotation that upstream's error is about, under upstream's names for them.
    static let upstreamNames = [
        "includeIPCidrs": Annotation.includeOutboundIPRanges,
        "excludeIPCidrs": .excludeOutboundIPRanges,
        "excludeInterfaces": .excludeInterfaces,
        "excludeInboundPorts": .excludeInboundPorts,
        "includeInboundPorts": .includeInboundPorts,
        "reroute-virtual-interfaces": .rerouteVirtualInterfaces,
    ]

    static let refused = Result { try RecordedCase.all().filter { recorded in recorded.expected.exit != 0 } }

    @Test func `twelve pods are refused`() throws {
        #expect(try Self.refused.get().count == 12)
    }

    @Test(arguments: try refused.get())
    func `a refused pod is refused for the same annotation`(recorded: RecordedCase) throws {
        let message = try #require(recorded.expected.error?.msg)
        let name = try #require(message.split(separator: " ").dropFirst(5).first?.dropLast())
        let expected = try #require(Self.upstreamNames[String(name)], "\(message)")

        let error = #expect(throws: PlanError.self) {
            try Decision(pod: recorded.pod, addresses: recorded.addresses, backend: .iptables)
        }

        guard case .annotation(let refusal) = try #require(error) else {
            Issue.record("\(String(describing: error)) is about no annotation")
            return
        }
        #expect(refusal.annotation == expected)
        #expect(refusal.description.hasPrefix(expected.name + ": "))
    }

    @Test(arguments: try RecordedCase.all().filter { recorded in recorded.expected.exit == 0 })
    func `a pod is skipped where upstream programmed nothing`(recorded: RecordedCase) throws {
        let early = EarlyDecision(
            podName: recorded.pod.name,
            podNamespace: recorded.pod.namespace,
            annotations: recorded.pod.annotations,
            settings: DecisionTests.settings
        )
        var isSkipped = early != .askAgent
        if !isSkipped {
            let decision = try Decision(pod: recorded.pod, addresses: recorded.addresses, backend: .iptables)
            if case .skip = decision { isSkipped = true }
        }

        #expect(isSkipped == recorded.expected.iptables.isEmpty)
    }
}
