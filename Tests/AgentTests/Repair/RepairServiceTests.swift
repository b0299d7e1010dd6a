import Agent
import AgentProtocol
import Conformance
import Enforcement
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// Repair mode, on real processes in real namespaces, at times of the test's own.
@Suite(.tags(.s23, .s30), .requiresNetworkNamespaces, .timeLimit(.minutes(3))) struct RepairServiceTests {
    @Test func `a pod without rules gets them at the first check, before anything has crashed`() async throws {
        let pod = try await StagedPod()
        let node = try RepairedNode()
        try node.run(pod)

        await node.check(at: 0)

        let isRedirected = try pod.isRedirected()
        #expect(isRedirected)
        #expect(try node.onlyPod().state == .redirected)
        #expect(try node.onlyPod().author == "istio-cni")
        #expect(node.repaired("repair", "success") == 1)
        #expect(node.counted("istio_cni_drift_repaired_total") == 0)
        #expect(node.asked.all == ["event RedirectionRepaired"])
        #expect(node.pods.counts[.redirected] == 1)
    }

    @Test func `rules flushed in a live pod come back at the next check, and are counted once`() async throws {
        let pod = try await StagedPod()
        try Enforcer().apply(try pod.plan(), in: pod.namespace)
        let node = try RepairedNode()
        try node.run(pod)
        await node.check(at: 0)
        #expect(node.repaired("repair", "success") == 0)

        _ = try await pod.namespace.command("nft", "flush", "ruleset")
        await node.check(at: 59)
        let isBackEarly = try pod.isRedirected()
        await node.check(at: 60)
        let isBack = try pod.isRedirected()
        for second in 61...125 { await node.check(at: second) }

        #expect(!isBackEarly)
        #expect(isBack)
        #expect(node.counted("istio_cni_drift_repaired_total") == 1)
        #expect(node.repaired("repair", "success") == 1)
    }

    @Test(.requiresSeveralUsers)
    func `a pod whose validation fails is repaired in place`() async throws {
        let pod = try await StagedPod()
        let node = try RepairedNode()
        try node.run(pod)
        node.pods.replaceAll([pod.pod(initContainers: [RepairDecisionTests.failed])])
        let before = try await pod.validates()

        await node.check(at: 0)

        let after = try await pod.validates()
        #expect(!before)
        #expect(after)
        #expect(node.asked.all == ["event RedirectionRepaired"])
    }

    @Test(.requiresSeveralUsers)
    func `a pod is repaired before its validation fails for the first time`() async throws {
        let pod = try await StagedPod()
        let node = try RepairedNode()
        try node.run(pod)
        // The kubelet's probe has 5 s; a machine that runs many tests at once may be slow.
        async let isValid = pod.validates(timeout: "30s")

        let service = node.start()

        let passed = try await isValid
        service.cancel()
        try await service.value
        #expect(passed)
    }

    @Test func `different rules are told once and left`() async throws {
        let pod = try await StagedPod()
        var plan = try pod.plan()
        plan.excludedOutboundPorts = [15_020, 3306, 5432]
        try Enforcer().apply(plan, in: pod.namespace)
        let before = try await pod.namespace.listRuleset()
        let node = try RepairedNode()
        try node.run(pod)

        for minute in 0...2 { await node.check(at: minute * 60) }

        let after = try await pod.namespace.listRuleset()
        #expect(after == before)
        #expect(try node.onlyPod().state == .redirected)
        #expect(try node.onlyPod().reason.contains("differs from the pod's plan"))
        #expect(try node.gauge("istio_cni_rules_differ") == 1)
        #expect(node.asked.all == ["event RedirectionDiffers"])
    }

    @Test(arguments: [
        ["traffic.sidecar.istio.io/excludeOutboundPorts": "3306"], ["sidecar.istio.io/interceptionMode": "TPROXY"],
        ["traffic.sidecar.istio.io/includeInboundPorts": "80"], ["sidecar.istio.io/interceptionMode": "NONE"],
        ["traffic.sidecar.istio.io/includeInboundPorts": "many"],
    ])
    func `an annotation edited on a running pod changes nothing`(edited: [String: String]) async throws {
        let pod = try await StagedPod()
        let node = try RepairedNode()
        try node.run(pod)
        await node.check(at: 0)
        let before = try await pod.namespace.listRuleset()

        node.pods.replaceAll([pod.pod(name: "cart-0", annotations: edited)])
        for minute in 1...3 { await node.check(at: minute * 60) }

        let after = try await pod.namespace.listRuleset()
        #expect(before.contains("istio-proxy-nat"))
        #expect(after == before)
        #expect(node.repaired("repair", "success") == 1)
    }

    @Test func `a table that was lost comes back, since everything was in force before`() async throws {
        let pod = try await StagedPod()
        let node = try RepairedNode()
        try node.run(pod)
        let annotated = pod.pod(annotations: ["sidecar.istio.io/interceptionMode": "TPROXY"])
        node.pods.replaceAll([annotated])
        await node.check(at: 0)

        _ = try await pod.namespace.command("nft", "delete", "table", "inet", "istio-proxy-mangle")
        await node.check(at: 60)

        let listed = try await pod.namespace.listRuleset()
        #expect(listed.contains("tproxy"))
        #expect(node.counted("istio_cni_drift_repaired_total") == 1)
    }

    @Test func `an agent that is not the writer changes nothing, and says what it sees`() async throws {
        let pod = try await StagedPod()
        let node = try RepairedNode()
        node.status.role = .standby
        try node.run(pod)

        await node.check(at: 0)

        let isRedirected = try pod.isRedirected()
        #expect(!isRedirected)
        #expect(try node.onlyPod().state == .bypassing)
        #expect(node.repaired("repair", "success") == 0)
    }

    @Test func `a pod whose ADD is under way is left to the plugin for 30 seconds`() async throws {
        let pod = try await StagedPod()
        let node = try RepairedNode()
        try node.run(pod)
        let request = AddRequest(
            podNamespace: "shop",
            podName: "cart-0",
            podUID: pod.uid,
            containerID: "c1",
            ips: [pod.address]
        )
        node.pods.record(.success(.redirect(try pod.plan())), to: request)
        let since = try #require(node.pods.entries.first?.addUnderWaySince) / 1_000

        await node.check(at: since + 29)
        let isEarly = try pod.isRedirected()
        await node.check(at: since + 31)

        let isRepaired = try pod.isRedirected()
        #expect(!isEarly)
        #expect(isRepaired)
    }

    @Test func `the right address with another UID is left alone and named`() async throws {
        let pod = try await StagedPod()
        let node = try RepairedNode()
        try node.run(pod)
        var other = pod.pod()
        other.pod.uid = StagedPod.newUID()
        node.pods.replaceAll([other])

        for second in 0...3 { await node.check(at: second) }

        let listed = try await pod.namespace.listRuleset()
        #expect(listed == "")
        #expect(try node.onlyPod().state == .unknown)
        #expect(try node.onlyPod().reason.contains("process \(pod.process.identifier) has its address"))
        #expect(try node.onlyPod().reason.contains(pod.uid))
        #expect(node.asked.all == ["event RedirectionNotRepairable"])
    }

    @Test func `without the host's processes nothing is done and nothing known`() async throws {
        let pod = try await StagedPod()
        let node = try RepairedNode()
        try node.run(pod)
        node.shown.remove()

        await node.check(at: 0)

        #expect(try node.onlyPod().state == .unknown)
        #expect(node.asked.all == [])
    }

    @Test func `with repair off nobody looks`() async throws {
        let pod = try await StagedPod()
        let node = try RepairedNode(RepairSettings(mode: .off))
        try node.run(pod)

        await node.check(at: 0)

        let listed = try await pod.namespace.listRuleset()
        #expect(listed == "")
        #expect(try node.onlyPod() == PodObservation(.unknown, reason: "no ADD has asked about it"))
        #expect(node.pods.counts[.unknown] == 1)
    }

    @Test func `what fails is told once, and tried again ever more rarely`() async throws {
        let pod = try await StagedPod()
        let programs = IPTablesPrograms(directories: ["/does/not/exist"])
        let node = try RepairedNode(backend: .iptables, enforcer: Enforcer(programs: programs))
        try node.run(pod)

        for second in 0...60 { await node.check(at: second) }

        // At 0, 1, 3, 7, 15 and 31 seconds.
        #expect(node.repaired("repair", "fail") == 6)
        #expect(node.asked.all == ["event RedirectionNotRepairable"])
        #expect(try node.onlyPod().state == .bypassing)
    }
}

/// Delete and label modes.
@Suite(.tags(.s30), .requiresNetworkNamespaces, .timeLimit(.minutes(3))) struct RepairActionTests {
    private func node(
        _ mode: RepairSettings.Mode,
        _ outcome: RepairActions.Outcome = .done,
        _ pod: NodePod
    ) throws -> RepairedNode {
        let node = try RepairedNode(RepairSettings(mode: mode), answering: outcome)
        node.pods.replaceAll([pod])
        return node
    }

    private let broken = RepairDecisionTests.pod { pod in
        pod.resourceVersion = "7"
        pod.initContainers = [RepairDecisionTests.failed]
    }

    @Test func `a broken pod is deleted once, as it was looked at`() async throws {
        let node = try node(.delete, .done, broken)

        for second in 0...5 { await node.check(at: second) }

        #expect(node.asked.all == ["delete shop/cart \(broken.pod.uid) 7", "event DeleteBrokenPod"])
        #expect(node.repaired("delete", "success") == 1)
    }

    @Test func `a broken pod is labelled once`() async throws {
        let node = try node(.label, .done, broken)

        for second in 0...5 { await node.check(at: second) }

        #expect(node.asked.all == ["label shop/cart cni.istio.io/uninitialized=true", "event LabelBrokenPod"])
        #expect(node.repaired("label", "success") == 1)
    }

    @Test func `a pod that has the label, with whatever value, is skipped and counted once`() async throws {
        var labelled = broken
        labelled.pod.labels["cni.istio.io/uninitialized"] = "false"
        let node = try node(.label, .done, labelled)

        for second in 0...5 { await node.check(at: second) }

        #expect(node.asked.all == [])
        #expect(node.repaired("label", "skip") == 1)
    }

    @Test func `a pod that has changed or gone is no failure, and is looked at again`() async throws {
        let node = try node(.delete, .changed, broken)

        for second in 0...2 { await node.check(at: second) }

        #expect(node.asked.all == [String](repeating: "delete shop/cart \(broken.pod.uid) 7", count: 3))
        #expect(node.repaired("delete", "fail") == 0)
    }

    @Test func `a failure is told once, and tried again ever more rarely`() async throws {
        let node = try node(.delete, .failed("403 Forbidden"), broken)

        for second in 0...20 { await node.check(at: second) }

        #expect(node.repaired("delete", "fail") == 5)
        #expect(node.asked.events == ["event DeleteBrokenPod"])
    }

    @Test func `a broken pod whose redirection is in force is left to start again`() async throws {
        let pod = try await StagedPod()
        try Enforcer().apply(try pod.plan(), in: pod.namespace)
        let node = try RepairedNode(RepairSettings(mode: .delete))
        try node.shown.show(pod)
        node.pods.replaceAll([pod.pod(initContainers: [RepairDecisionTests.failed])])

        await node.check(at: 0)

        #expect(node.asked.all == [])
        #expect(try node.onlyPod().state == .redirected)
    }
}
