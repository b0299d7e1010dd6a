import Agent
import Enforcement
import Foundation
import LinuxKernel
import MetricsTestKit
import Redirect
import Synchronization
import TestSupport
import Testing

/// A node whose pods are repaired, one check after the other, at times that the test says.
final class RepairedNode {
    let pods = PodDirectory()
    let status: AgentStatus
    let shown: ShownProcesses
    private let ownsShown: Bool
    let asked = Asked()
    private let metrics = TestMetrics()
    private let service: RepairService
    private var schedule = RepairSchedule()

    init(
        _ settings: RepairSettings = RepairSettings(mode: .repair),
        backend: RedirectPlan.Backend = .nftables,
        enforcer: Enforcer = Enforcer(),
        shown: ShownProcesses? = nil,
        answering outcome: RepairActions.Outcome = .done
    ) throws {
        ownsShown = shown == nil
        self.shown = try shown ?? ShownProcesses()
        status = AgentStatus(backend: BackendChoice(backend, "of the test"), version: "1.2.3", readiness: Readiness([]))
        status.role = .writer
        service = RepairService(
            pods: pods,
            status: status,
            settings: settings,
            finder: self.shown.finder,
            enforcer: enforcer,
            actions: asked.actions(outcome),
            metrics: metrics
        )
    }

    deinit {
        if ownsShown { shown.remove() }
    }

    /// Shows the processes of pods, and makes these the pods of the node.
    func run(_ staged: StagedPod...) throws {
        for pod in staged { try shown.show(pod) }
        pods.replaceAll(staged.enumerated().map { index, pod in pod.pod(name: "cart-\(index)") })
    }

    func check(at seconds: Int) async { await service.check(&schedule, at: seconds * 1_000) }

    /// Checks at times of the service's own, until the task is cancelled.
    func start() -> Task<Void, any Error> {
        let service = service
        return Task { try await service.run() }
    }

    /// What the only pod is seen to be.
    func onlyPod() throws -> PodObservation { try #require(pods.entries.first).summary }

    func counted(_ name: String, _ labels: [(String, String)] = []) -> Int64 {
        // What was never counted is not there.
        (try? metrics.expectCounter(name, labels))?.totalValue ?? 0
    }

    func repaired(_ type: String, _ result: String) -> Int64 {
        counted("istio_cni_repair_pods_repaired_total", [("type", type), ("result", result)])
    }

    func gauge(_ name: String, _ labels: [(String, String)] = []) throws -> Double {
        try #require(try metrics.expectRecorder(name, labels).lastValue)
    }

    /// What was asked of the API server, in order.
    final class Asked: Sendable {
        private let list = Mutex<[String]>([])

        var all: [String] { list.withLock { list in list } }
        var events: [String] { all.filter { line in line.hasPrefix("event ") } }

        func actions(_ outcome: RepairActions.Outcome) -> RepairActions {
            RepairActions(
                delete: { pod in
                    self.add("delete \(pod.fullName) \(pod.pod.uid) \(pod.resourceVersion)")
                    return outcome
                },
                label: { pod, key, value in
                    self.add("label \(pod.fullName) \(key)=\(value)")
                    return outcome
                },
                report: { _, event in self.add("event \(event.reason.rawValue)") }
            )
        }

        private func add(_ line: String) { list.withLock { list in list.append(line) } }
    }
}

extension StagedPod {
    /// The plan that the agent makes for it.
    func plan(_ backend: RedirectPlan.Backend = .nftables) throws -> RedirectPlan {
        let pod = pod()
        guard case .redirect(let plan, _) = try Decision(pod: pod.pod, addresses: pod.addresses, backend: backend)
        else { preconditionFailure("a staged pod is of the mesh") }
        return plan
    }

    /// Whether what its plan says is in force.
    func isRedirected() throws -> Bool {
        let plan = try plan()
        let evidence = try Enforcer().evidence(in: namespace)
        return evidence.missing(from: plan).isEmpty
    }

    /// Whether the check of its validation container passes, run inside of it by the proxy's user.
    func validates(timeout: String = "400ms") async throws -> Bool {
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "install-cni").path(percentEncoded: false)
        // The clone may lie below a folder that only root can enter; this right is about files alone.
        let rights = "-all,+dac_read_search"
        let process = ChildProcess(
            "/usr/bin/setpriv",
            [
                "--reuid=1337", "--regid=1337", "--clear-groups", "--bounding-set=\(rights)", "--inh-caps=\(rights)",
                "--ambient-caps=\(rights)", "/bin/bash", "-c", "exec -a istio-iptables \"$0\" \"$@\"", program,
                "--run-validation", "--skip-rule-apply", "--probe-timeout", timeout,
            ],
            deadlineMilliseconds: 60_000
        )
        let namespace = try NetworkNamespace(at: "/proc/self/fd/\(namespace.rawDescriptor)")
        let outcome = try await onThread { try process.run(in: namespace) }
        let problem = String(decoding: outcome.standardError, as: UTF8.self)
        try #require(outcome.ending == .exit(0) || outcome.ending == .exit(126), "\(problem)")
        return outcome.isSuccess
    }
}
