internal import AgentProtocol
package import Enforcement
internal import LinuxKernel
internal import Logging
package import Metrics
internal import Redirect
internal import ServiceLifecycle

/// Sees to it that the pods of this node which should be redirected are (architecture, decision 14).
package struct RepairService: Service {
    private let pods: PodDirectory
    private let status: AgentStatus
    private let settings: RepairSettings
    private let inspection: SandboxInspection
    private let backend: RedirectPlan.Backend
    private let actions: RepairActions
    private let metrics: RepairMetrics
    private let heartbeat: Heartbeat?
    private let logger = Logger(label: LogScope.agent)

    /// Each holds a descriptor or two while it is looked at, and a process may have 1,024 (`getrlimit(2)`).
    private static let podsAtOnce = 64

    /// The shortest pause of the schedule.
    private static let pauseMilliseconds = RepairSchedule.firstPauseMilliseconds

    package init(
        pods: PodDirectory,
        status: AgentStatus,
        settings: RepairSettings,
        finder: SandboxFinder = SandboxFinder(),
        enforcer: Enforcer = .ofRepair,
        actions: RepairActions = .none,
        metrics: any MetricsFactory = MetricsSystem.factory,
        heartbeat: Heartbeat? = nil
    ) {
        self.heartbeat = heartbeat
        self.pods = pods
        self.status = status
        self.settings = settings
        self.actions = actions
        self.metrics = RepairMetrics(factory: metrics)
        backend = status.backend.backend
        inspection = SandboxInspection(finder: finder, enforcer: enforcer, backend: status.backend.backend)
    }

    package func run() async throws {
        var schedule = RepairSchedule()
        if settings.mode != .off, try await !OwnThread.run({ inspection.canLook }) {
            logger.warning(
                "the host's processes cannot be seen, so nobody can tell whether pods are redirected",
                metadata: ["mode": "\(settings.mode.rawValue)"]
            )
        }
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            heartbeat?.beat()
            await check(&schedule, at: Clock.monotonicMilliseconds())
            // Cut short by the end of the agent, which the loop sees by itself.
            try? await cancelWhenGracefulShutdown {
                try await Task.sleep(for: .milliseconds(Self.pauseMilliseconds))
            }
        }
        heartbeat?.rest()
    }

    /// Looks at every pod whose turn it is, and does what is to be done.
    package func check(_ schedule: inout RepairSchedule, at now: Int) async {
        let entries = pods.entries
        schedule.keep(entries.map { entry in entry.pod })
        if settings.mode != .off { await look(at: entries, &schedule, now) }
        metrics.record(differing: schedule.differingCount)
    }

    private func look(at entries: [PodDirectory.Entry], _ schedule: inout RepairSchedule, _ now: Int) async {
        var due: [(entry: PodDirectory.Entry, plan: RedirectPlan)] = []
        for entry in entries where schedule.isDue(entry, at: now) && !schedule.isHeldBack(entry.pod, at: now) {
            switch RepairInterest(entry, settings: settings, backend: backend, nowMilliseconds: now) {
            case .look(let plan): due.append((entry, plan))
            case .unclear(let reason): await seeUnclear(entry, reason, &schedule, now)
            case .none, .later:
                let action = RepairDecision.symptomAction(entry.pod, settings)
                if action != .nothing { await perform(RepairDecision(action), entry, nil, &schedule, now) }
            }
        }
        let all = entries.map { entry in entry.pod }
        for start in stride(from: 0, to: due.count, by: Self.podsAtOnce) {
            await look(at: Array(due[start..<min(start + Self.podsAtOnce, due.count)]), among: all, &schedule, now)
        }
    }

    private func look(
        at due: [(entry: PodDirectory.Entry, plan: RedirectPlan)],
        among all: [NodePod],
        _ schedule: inout RepairSchedule,
        _ now: Int
    ) async {
        guard !Task.isShuttingDownGracefully else { return }
        let asked = due.map { entry, plan in (pod: entry.pod, plan: plan) }
        let sightings: [SandboxInspection.Sighting]
        do {
            sightings = try await OwnThread.run { inspection.look(at: asked, among: all) { heartbeat?.beat() } }
        } catch {
            logger.error("sandboxes cannot be looked into", metadata: ["error": "\(error)"])
            return
        }
        for ((entry, plan), sighting) in zip(due, sightings) {
            // What is left can wait for the next agent; the end of this one has 25 s, and the plugin's is in them.
            guard !Task.isShuttingDownGracefully else { return }
            schedule.looked(at: entry.pod, now: now)
            let isOwn = schedule.isOwn(entry.pod) || entry.outcome == .redirected
            let decision = RepairDecision(
                entry.pod,
                plan,
                sighting.sight,
                verifiedPlan: schedule.verifiedPlan(of: entry.pod),
                isOwn: isOwn,
                settings: settings
            )
            heartbeat?.beat()
            note(decision, sighting, entry, &schedule)
            if decision.observation?.state == .redirected { schedule.verified(entry.pod, plan, isOwn: isOwn) }
            await perform(decision, entry, sighting.sandbox, &schedule, now)
        }
    }

    // MARK: - Saying

    private func seeUnclear(
        _ entry: PodDirectory.Entry,
        _ reason: String,
        _ schedule: inout RepairSchedule,
        _ now: Int
    ) async {
        schedule.looked(at: entry.pod, now: now)
        pods.record(PodObservation(.unknown, reason: reason), of: entry.pod)
        if schedule.isNews(reason, of: entry.pod, about: .sight) { reportNotRepairable(entry.pod, reason) }
        await perform(RepairDecision(RepairDecision.symptomAction(entry.pod, settings)), entry, nil, &schedule, now)
    }

    /// Keeps what was seen, and says what a person has to know, once.
    private func note(
        _ decision: RepairDecision,
        _ sighting: SandboxInspection.Sighting,
        _ entry: PodDirectory.Entry,
        _ schedule: inout RepairSchedule
    ) {
        if let observation = decision.observation { pods.record(observation, of: entry.pod) }
        let isDifferent = !decision.differences.isEmpty
        schedule.differs(entry.pod, isDifferent)
        if case .apply = decision.action { return }
        let isWorthSaying = isDifferent || sighting.isStrange
        guard let reason = decision.observation?.reason,
            schedule.isNews(isWorthSaying ? reason : nil, of: entry.pod, about: .sight)
        else { return }
        if isDifferent {
            logger.warning(
                "the rules in force are not those of the pod's plan; they stay as they are",
                metadata: metadata(entry.pod, reason: reason)
            )
            actions.report(
                entry.pod,
                RepairEvent(.different, "\(reason). Restart the pod to get the rules of its plan.")
            )
        } else {
            reportNotRepairable(entry.pod, reason)
        }
    }

    private func reportNotRepairable(_ pod: NodePod, _ reason: String) {
        logger.warning("nobody can tell whether the pod is redirected", metadata: metadata(pod, reason: reason))
        actions.report(pod, RepairEvent(.notRepairable, "The pod's redirection cannot be checked: \(reason)"))
    }

    private func metadata(_ pod: NodePod, reason: String? = nil) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["pod": "\(pod.fullName)", "uid": "\(pod.pod.uid)"]
        if let reason { metadata["reason"] = "\(reason)" }
        return metadata
    }

    // MARK: - Doing

    private func perform(
        _ decision: RepairDecision,
        _ entry: PodDirectory.Entry,
        _ sandbox: Sandbox?,
        _ schedule: inout RepairSchedule,
        _ now: Int
    ) async {
        // Another agent of this node does it (architecture, decision 19).
        guard status.writes, decision.action != .nothing else { return }
        // Others may hold the namespace, iptables takes its time, and so may the API server: each has a limit of its own.
        heartbeat?.rest()
        defer { heartbeat?.beat() }
        switch decision.action {
        case .nothing: return
        case .apply(let plan):
            guard let sandbox else { return }
            await apply(plan, in: sandbox, entry, &schedule, now)
        case .delete, .label:
            guard !schedule.isActedUpon(entry.pod) else { return }
            await act(on: entry.pod, &schedule, now)
        }
    }

    private func apply(
        _ plan: RedirectPlan,
        in sandbox: Sandbox,
        _ entry: PodDirectory.Entry,
        _ schedule: inout RepairSchedule,
        _ now: Int
    ) async {
        let pod = entry.pod
        do {
            try await OwnThread.run { try inspection.apply(plan, in: sandbox) }
        } catch {
            let reason = (error as? RepairFailure)?.reason ?? "\(error)"
            schedule.failed(pod, at: now)
            metrics.count(.repair, .fail)
            logger.error("pod was not repaired", metadata: metadata(pod, reason: reason))
            if schedule.isNews(reason, of: pod, about: .action) {
                actions.report(pod, RepairEvent(.notRepairable, "The pod is not redirected, and cannot be: \(reason)"))
            }
            return
        }
        let wasRedirected = schedule.verifiedPlan(of: pod) != nil || entry.outcome == .redirected
        schedule.succeeded(pod)
        schedule.verified(pod, plan, isOwn: true)
        schedule.differs(pod, false)
        pods.record(
            PodObservation(.redirected, reason: "repaired: it was not redirected", author: RedirectionMaker.ownName),
            of: pod
        )
        metrics.count(.repair, .success)
        status.recordRepair(of: pod.fullName)
        if wasRedirected { metrics.countDrift() }
        logger.info("pod was repaired", metadata: metadata(pod))
        _ = schedule.isNews(nil, of: pod, about: .action)
        actions.report(pod, RepairEvent(.repaired, "The pod was not redirected; its rules are in force now."))
    }

    private func act(on pod: NodePod, _ schedule: inout RepairSchedule, _ now: Int) async {
        schedule.looked(at: pod, now: now)
        if settings.mode == .label, pod.pod.labels[settings.labelKey] != nil {
            schedule.actedUpon(pod)
            metrics.count(.label, .skip)
            return
        }
        let reason: RepairEvent.Reason = settings.mode == .delete ? .deleted : .labelled
        let outcome =
            settings.mode == .delete
            ? await actions.delete(pod) : await actions.label(pod, settings.labelKey, settings.labelValue)
        switch outcome {
        case .done:
            schedule.actedUpon(pod)
            schedule.succeeded(pod)
            metrics.count(settings.mode, .success)
            status.recordRepair(of: pod.fullName)
            logger.info("broken pod was dealt with", metadata: metadata(pod, reason: reason.rawValue))
            actions.report(
                pod,
                RepairEvent(reason, "The pod's redirection was missing: \(settings.mode.rawValue) has been done.")
            )
        case .changed:
            logger.debug("broken pod has changed meanwhile", metadata: metadata(pod))
        case .failed(let problem):
            schedule.failed(pod, at: now)
            metrics.count(settings.mode, .fail)
            logger.error("broken pod was not dealt with", metadata: metadata(pod, reason: problem))
            if schedule.isNews(problem, of: pod, about: .action) {
                actions.report(
                    pod,
                    RepairEvent(
                        reason,
                        "The pod's redirection is missing; \(settings.mode.rawValue) failed: \(problem)"
                    )
                )
            }
        }
    }
}
