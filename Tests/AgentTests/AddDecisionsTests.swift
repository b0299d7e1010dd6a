import Agent
import AgentProtocol
import CNIProtocol
import Redirect
import Synchronization
import Testing

@Suite struct AddDecisionsTests {
    static let pod = Pod(
        namespace: "shop",
        name: "cart",
        uid: "u1",
        annotations: ["sidecar.istio.io/status": "{}"],
        containers: [Pod.Container(name: "istio-proxy")]
    )

    /// A version that no plugin has yet: it only says that it is one.
    static let second = PlanEdition(version: 2) { _ in .object([JSONMember("version", .integer(2))]) }

    @Test(arguments: [
        (plugin: [1], agent: [1, 2], written: 1), (plugin: [2, 1], agent: [1], written: 1),
        (plugin: [1, 2, 3], agent: [1, 2], written: 2), (plugin: [2], agent: [1], written: nil),
        (plugin: [], agent: [1, 2], written: nil),
    ])
    func `the plan is in the highest version that both know`(plugin: [Int], agent: [Int], written: Int?) async throws {
        let pods = PodDirectory()
        pods.replaceAll([NodePod(Self.pod)])
        let editions = (PlanEdition.all + [Self.second]).filter { edition in agent.contains(edition.version) }
        let decisions = AddDecisions(pods: pods, backend: .nftables, planEditions: editions)
        var request = Sample.request
        request.planVersions = plugin

        switch await decisions.answer(request) {
        case .success(let body): #expect(try JSONValue(parsing: body)["plan"]?["version"]?.integer == written)
        case .failure(let refusal):
            #expect(written == nil)
            #expect(refusal.reason == .noCommonPlanVersion)
        }
    }

    @Test func `a pod that the watch knows costs no request, whatever became of the API server`() async throws {
        let pods = PodDirectory()
        pods.replaceAll([NodePod(Self.pod)])
        let decisions = AddDecisions(pods: pods, backend: .nftables) { _, _ in
            Issue.record("the API server was asked")
            return nil
        }

        guard case .success = await decisions.answer(Sample.request) else {
            Issue.record("no answer")
            return
        }
    }

    @Test func `a pod that the watch has not shown yet is looked up once, and kept`() async throws {
        let pods = PodDirectory()
        let lookups = Mutex(0)
        let decisions = AddDecisions(pods: pods, backend: .nftables) { namespace, name in
            lookups.withLock { lookups in lookups += 1 }
            guard namespace == "shop" && name == "cart" else { return nil }
            pods.keep(NodePod(Self.pod), lookedUpSince: pods.now)
            return NodePod(Self.pod)
        }
        var unknown = Sample.request
        unknown.podName = "x"

        for _ in 1...2 {
            guard case .success = await decisions.answer(Sample.request) else {
                Issue.record("no answer")
                return
            }
        }
        #expect(lookups.withLock { lookups in lookups } == 1)
        guard case .failure(let refusal) = await decisions.answer(unknown) else {
            Issue.record("a pod that nobody knows has a plan")
            return
        }
        #expect(refusal.reason == .podUnknown)
    }

    @Test(arguments: ["u2", "u1"])
    func `another UID is asked about before it is refused`(uid: String) async throws {
        let pods = PodDirectory()
        var old = Self.pod
        old.uid = "u0"
        pods.replaceAll([NodePod(old)])
        let decisions = AddDecisions(pods: pods, backend: .nftables) { _, _ in NodePod(Self.pod) }
        var request = Sample.request
        request.podUID = uid

        switch await decisions.answer(request) {
        case .success: #expect(uid == "u1")
        case .failure(let refusal):
            #expect(uid == "u2")
            #expect(refusal.reason == .uidDiffers)
        }
    }

    @Test func `what a look-up could not find out is what the plugin is told`() async throws {
        let busy = AddRefusal(.notReady, "too many look-ups wait already")
        let decisions = AddDecisions(pods: PodDirectory(), backend: .nftables) { _, _ throws(AddRefusal) in throw busy }

        guard case .failure(let refusal) = await decisions.answer(Sample.request) else {
            Issue.record("an answer out of nothing")
            return
        }
        #expect(refusal == busy)
    }
}
