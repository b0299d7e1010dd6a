import Agent
import AgentProtocol
import Conformance
import Enforcement
import Redirect
import Testing

/// What is done about a pod, from what is known and seen of it; nothing here touches a namespace.
@Suite(.tags(.s30)) struct RepairDecisionTests {
    static let plan = RedirectPlan(inboundPorts: .all(except: []))
    static let bypassing = RepairDecision.Sight.rules(RedirectionEvidence(ways: []), differences: nil)

    static let uid = "00000000-0000-4000-8000-000000000001"

    static func pod(_ change: (inout NodePod) -> Void = { _ in }) -> NodePod {
        let proxy = Pod.Container(name: "istio-proxy", arguments: ["proxy", "sidecar"])
        let annotations = ["sidecar.istio.io/status": "{}"]
        var pod = NodePod(
            Pod(namespace: "shop", name: "cart", uid: uid, annotations: annotations, containers: [proxy]),
            addresses: ["10.0.0.2"]
        )
        change(&pod)
        return pod
    }

    static func ways(_ maker: RedirectionMaker) -> RedirectionEvidence {
        RedirectionEvidence(ways: [.init(.outbound, .ipv4, maker), .init(.inbound, .ipv4, maker)])
    }

    private func decide(
        _ sight: RepairDecision.Sight,
        _ mode: RepairSettings.Mode = .repair,
        pod: NodePod = pod(),
        verified: RedirectPlan? = nil,
        isOwn: Bool = false
    ) -> RepairDecision {
        RepairDecision(
            pod,
            Self.plan,
            sight,
            verifiedPlan: verified,
            isOwn: isOwn,
            settings: RepairSettings(mode: mode)
        )
    }

    // MARK: Repair

    @Test func `missing redirection is put in before anything has crashed`() {
        let decision = decide(Self.bypassing)

        #expect(decision.action == .apply(Self.plan))
        #expect(decision.observation?.state == .bypassing)
    }

    @Test(arguments: [RepairSettings.Mode.off, .delete, .label])
    func `the other modes put nothing in, and do nothing without the symptom`(mode: RepairSettings.Mode) {
        let decision = decide(Self.bypassing, mode)

        #expect(decision.action == .nothing)
        #expect(decision.observation?.state == .bypassing)
    }

    @Test(arguments: RedirectionMaker.allCases, RepairSettings.Mode.allCases)
    func `what is in force stays, whoever made it`(maker: RedirectionMaker, mode: RepairSettings.Mode) {
        let failed = Self.pod { pod in pod.initContainers = [Self.failed] }

        let decision = decide(.rules(Self.ways(maker), differences: nil), mode, pod: failed)

        #expect(decision.action == .nothing)
        #expect(decision.observation?.state == .redirected)
        #expect(decision.observation?.author == (maker == .ours ? "istio-cni" : "upstream"))
    }

    @Test func `rules that differ are told and left`() {
        let decision = decide(.rules(Self.ways(.ours), differences: ["chain output is missing"]))

        #expect(decision.action == .nothing)
        #expect(decision.observation?.state == .redirected)
        #expect(decision.differences == ["chain output is missing"])
    }

    @Test func `what is missing of a plan that was never in force is told and left`() {
        let half = RedirectionEvidence(ways: [.init(.outbound, .ipv4, .ours)])

        let decision = decide(.rules(half, differences: nil), verified: RedirectPlan(inboundPorts: .none))

        #expect(decision.action == .nothing)
        #expect(decision.observation?.state == .partial)
        #expect(decision.observation?.reason == "not redirected: inbound IPv4")
    }

    @Test func `what is missing of a plan that was in force was lost, and is put in again`() {
        let half = RedirectionEvidence(ways: [.init(.outbound, .ipv4, .ours)])

        let decision = decide(.rules(half, differences: nil), verified: Self.plan)

        #expect(decision.action == .apply(Self.plan))
        #expect(decision.observation?.state == .partial)
    }

    @Test func `iptables rules that this agent knows of are its own`() {
        let decision = decide(.rules(Self.ways(.iptablesNFT), differences: nil), isOwn: true)

        #expect(decision.observation?.author == "istio-cni")
    }

    @Test func `nothing is put into a sandbox that nobody could look into`() {
        let decision = decide(.none("process 7 has its address"))

        #expect(decision.action == .nothing)
        #expect(decision.observation == PodObservation(.unknown, reason: "process 7 has its address"))
    }

    // MARK: Delete and label

    static let failed = NodePod.ContainerStatus(
        name: "istio-validation",
        endedBefore: NodePod.Termination(exitCode: 126, reason: "Error")
    )

    @Test(arguments: [RepairSettings.Mode.delete, .label])
    func `the symptom alone is enough to delete or label`(mode: RepairSettings.Mode) {
        let pod = Self.pod { pod in pod.initContainers = [Self.failed] }

        #expect(decide(Self.bypassing, mode, pod: pod).action == (mode == .delete ? .delete : .label))
        #expect(decide(.none("no /proc"), mode, pod: pod).action == (mode == .delete ? .delete : .label))
    }

    /// The kubelet calls such a pod failed as soon as its validation has, and starts nothing again.
    @Test func `a pod that is never started again is not looked into, and deleted or labelled by its symptom`() throws {
        let pod = Self.pod { pod in
            pod.phase = .failed
            pod.initContainers = [.init(name: "istio-validation", ended: .init(exitCode: 126))]
        }
        let directory = PodDirectory()
        directory.replaceAll([pod])
        let entry = try #require(directory.entries.first)

        let actions: [RepairSettings.Mode: RepairDecision.Action] = [
            .off: .nothing, .repair: .nothing, .delete: .delete, .label: .label,
        ]
        for (mode, action) in actions {
            let settings = RepairSettings(mode: mode)
            #expect(RepairInterest(entry, settings: settings, backend: .nftables, nowMilliseconds: 0) == .none)
            #expect(RepairDecision.symptomAction(pod, settings) == action)
        }
    }

    @Test(arguments: [RepairSettings.Mode.delete, .label])
    func `redirection that is there in part does not save a pod whose validation fails`(mode: RepairSettings.Mode) {
        let half = RedirectionEvidence(ways: [.init(.outbound, .ipv4, .ours)])
        let failed = Self.pod { pod in pod.initContainers = [Self.failed] }

        let decision = decide(.rules(half, differences: nil), mode, pod: failed)

        #expect(decision.action == (mode == .delete ? .delete : .label))
        #expect(decision.observation?.state == .partial)
        #expect(decide(.rules(half, differences: nil), mode).action == .nothing)
    }

    /// Name, the container's state, whether it is the symptom; upstream's twelve cases, then those it lacks.
    static let symptoms: [(String, NodePod.ContainerStatus?, Bool)] = [
        ("healthy", .init(name: "istio-validation", ended: .init(exitCode: 0, reason: "Completed")), false),
        (
            "healthy after it failed",
            .init(name: "istio-validation", ended: .init(exitCode: 0), endedBefore: .init(exitCode: 126)), false
        ),
        ("waiting after it failed", failed, true),
        (
            "failed again",
            .init(name: "istio-validation", ended: .init(exitCode: 126), endedBefore: .init(exitCode: 126)),
            true
        ),
        ("failed with another code", .init(name: "istio-validation", endedBefore: .init(exitCode: 1)), false),
        ("another container", .init(name: "setup", endedBefore: .init(exitCode: 126)), false),
        ("nothing yet", nil, false),
        ("failed at its first start", .init(name: "istio-validation", ended: .init(exitCode: 126)), true),
        ("runs for the first time", .init(name: "istio-validation"), false),
    ]

    @Test(arguments: symptoms.indices)
    func `the symptom is a validation that has failed and not succeeded since`(index: Int) {
        let (name, container, isSymptom) = Self.symptoms[index]
        let pod = Self.pod { pod in pod.initContainers = container.map { [$0] } ?? [] }

        #expect(RepairSettings(mode: .delete).hasSymptom(pod) == isSymptom, "\(name)")
    }

    @Test func `a pod without the annotation has no symptom, unless none is asked for`() {
        let pod = Self.pod { pod in
            pod.pod.annotations = [:]
            pod.initContainers = [Self.failed]
        }
        var settings = RepairSettings(mode: .delete)

        #expect(!settings.hasSymptom(pod))
        settings.sidecarAnnotation = ""
        #expect(settings.hasSymptom(pod))
    }

    @Test(arguments: [("", 126, true), (" no\n", 126, true), ("other", 126, false), ("no", 0, true), ("no", 1, false)])
    func `message and code count where they are set`(message: String, code: Int, isSymptom: Bool) {
        let end = NodePod.Termination(exitCode: 126, message: "no ")
        let pod = Self.pod { pod in pod.initContainers = [.init(name: "istio-validation", ended: end)] }

        let settings = RepairSettings(mode: .delete, terminationMessage: message, exitCode: code)

        #expect(settings.hasSymptom(pod) == isSymptom)
    }

    @Test func `any init container counts where no name is set`() {
        let pod = Self.pod { pod in pod.initContainers = [.init(name: "setup", ended: .init(exitCode: 126))] }

        #expect(RepairSettings(mode: .delete, initContainerName: "").hasSymptom(pod))
    }

    // MARK: Who is never touched

    static let untouchable: [String: @Sendable (inout NodePod) -> Void] = [
        "on the host's network": { pod in pod.isOnHostNetwork = true },
        "being deleted": { pod in pod.isBeingDeleted = true },
        "succeeded": { pod in pod.phase = .succeeded },
        "in an excluded namespace": { pod in pod.pod.namespace = "kube-system" },
        "left out by its labels": { pod in pod.pod.labels["left-out"] = "" },
        "left out by its fields": { pod in pod.pod.name = "left-out" },
    ]

    @Test(arguments: untouchable.keys.sorted())
    func `a pod that is never to be touched is not`(name: String) throws {
        let change = try #require(Self.untouchable[name])
        let pod = Self.pod { pod in
            pod.initContainers = [Self.failed]
            change(&pod)
        }
        let directory = PodDirectory()
        directory.replaceAll([pod])
        let entry = try #require(directory.entries.first)

        for mode in RepairSettings.Mode.allCases {
            let settings = RepairSettings(
                mode: mode,
                excludedNamespaces: ["kube-system"],
                labels: try LabelSelector("!left-out"),
                fields: try FieldSelector("metadata.name!=left-out,spec.nodeName=node-1"),
                nodeName: "node-1"
            )
            let interest = RepairInterest(entry, settings: settings, backend: .nftables, nowMilliseconds: 0)

            #expect(interest == .none)
            #expect(RepairDecision.symptomAction(pod, settings) == .nothing)
        }
    }

    @Test func `a pod outside the mesh is of no interest, and one without an address or a UID is not yet`() throws {
        let outside = Self.pod { pod in pod.pod.annotations = [:] }
        let nobody = Self.pod { pod in
            pod.pod.name = "nobody"
            pod.pod.uid = ""
        }
        let early = Self.pod { pod in
            pod.pod.name = "early"
            pod.addresses = []
        }
        let directory = PodDirectory()
        directory.replaceAll([outside, early, nobody])

        let interests = directory.entries.map { entry in
            RepairInterest(entry, settings: RepairSettings(mode: .repair), backend: .nftables, nowMilliseconds: 0)
        }

        #expect(
            interests == [
                .none, .later("the pod has no address yet"),
                .later("the pod has no UID that a control group could name"),
            ]
        )
    }

    @Test func `a pod whose ADD was answered and not reported is left alone for 30 seconds`() throws {
        let directory = PodDirectory()
        directory.replaceAll([Self.pod()])
        let request = AddRequest(podNamespace: "shop", podName: "cart", podUID: Self.uid, containerID: "c1", ips: [])
        directory.record(.success(.redirect(Self.plan)), to: request)
        let entry = try #require(directory.entries.first)
        let since = try #require(entry.addUnderWaySince)

        let interest = { (milliseconds: Int) in
            RepairInterest(
                entry,
                settings: RepairSettings(mode: .repair),
                backend: .nftables,
                nowMilliseconds: since + milliseconds
            )
        }

        #expect(interest(29_999) == .later("an ADD is under way"))
        #expect(interest(30_000) != .later("an ADD is under way"))
    }

    @Test func `a pod whose annotations are no plan is told of`() throws {
        let directory = PodDirectory()
        directory.replaceAll([
            Self.pod { pod in pod.pod.annotations["traffic.sidecar.istio.io/includeInboundPorts"] = "many" }
        ])

        let interest = RepairInterest(
            try #require(directory.entries.first),
            settings: RepairSettings(mode: .repair),
            backend: .nftables,
            nowMilliseconds: 0
        )

        guard case .unclear(let reason) = interest else {
            Issue.record("\(interest)")
            return
        }
        #expect(reason.hasPrefix("traffic.sidecar.istio.io/includeInboundPorts: \"many\" is not a port"))
    }
}
