internal import LinuxKernel
internal import Logging
internal import Metrics
internal import Synchronization

/// Tells everybody how the installation stands: readiness, log, metrics, and a hook for Events.
final class InstallReport: Sendable {
    private let state: InstallState
    private let onQuarrel: @Sendable (Quarrel) -> Void
    private let logger = Logger(label: LogScope.agent)
    private let metrics: any MetricsFactory
    private let ready: Gauge
    private let rewrites: Counter
    private let lastQuarrel = Mutex<Int?>(nil)
    private let lastSkipped = Mutex<[String]>([])
    private let hasSaidUnwatched = Mutex(false)

    init(state: InstallState, metrics: any MetricsFactory, onQuarrel: @escaping @Sendable (Quarrel) -> Void) {
        self.state = state
        self.metrics = metrics
        self.onQuarrel = onQuarrel
        ready = Gauge(label: AgentMetric.installReady.name, factory: metrics)
        rewrites = Counter(label: AgentMetric.configurationRewrites.name, factory: metrics)
        ready.record(0)
    }

    /// From here on it is known what this agent has written to the directory.
    func starts(in directory: String) {
        state.change { report in report.writes = ConfigurationWrites(directory: directory) }
    }

    /// Another agent of this node writes; that is no reason against readiness, as an upgrade with surge waits for it.
    func standBy() { change(reasons: [], warnings: [], file: nil) }

    /// - Parameters:
    ///   - step: What was done.
    ///   - written: The file that came of it.
    func taken(_ step: InstallStep, _ written: FileStatus?) {
        switch step {
        case .installBinary: logger.info("plugin installed")
        case .write(let name, _, _):
            if state.report.installs > 0 {
                rewrites.increment()
                state.change { report in report.rewrites += 1 }
            }
            if let written { state.change { report in report.writes?.note(name, written) } }
            logger.info("configuration written", metadata: ["file": "\(name)"])
        case .remove(let name):
            state.change { report in report.writes?.forget(name) }
            logger.info("configuration removed", metadata: ["file": "\(name)"])
        case .removeKubeconfig: logger.info("kubeconfig of upstream removed: the plugin holds no token")
        case .writeJournal, .removeJournal, .removeBinary: break
        }
    }

    /// Says once that changes are seen late.
    func cannotWatch(_ error: KernelError) {
        let isNews = hasSaidUnwatched.withLock { said in
            defer { said = true }
            return !said
        }
        guard isNews else { return }
        logger.warning(
            "directories cannot be watched and are looked at each second; raise fs.inotify.max_user_instances",
            metadata: ["error": "\(error.description)"]
        )
    }

    /// Names the files that a runtime cannot load, when they change.
    func skips(_ files: [String]) {
        let news = lastSkipped.withLock { last in
            let news = files.filter { file in !last.contains(file) }
            last = files
            return news
        }
        for file in news {
            logger.warning("configuration that no runtime loads is passed over", metadata: ["file": "\(file)"])
        }
    }

    /// All steps are taken.
    func stands(_ plan: InstallPlan) {
        if let reason = plan.waiting { return notReady(reason) }
        if !state.report.isReady || state.report.installs == 0 {
            count("SUCCESS")
            state.change { report in report.installs += 1 }
            logger.info("plugin is installed", metadata: ["file": "\(plan.file ?? "")"])
        }
        if plan.warnings != state.report.warnings {
            for warning in plan.warnings {
                logger.warning("installed, but pods may pass by the mesh", metadata: ["reason": "\(warning)"])
            }
        }
        change(reasons: [], warnings: plan.warnings, file: plan.file)
        state.change { report in report.failures = 0 }
    }

    func notReady(_ reason: String) {
        if state.report.reasons != [reason] {
            logger.warning("plugin is not installed yet", metadata: ["reason": "\(reason)"])
        }
        change(reasons: [reason], warnings: [], file: nil)
    }

    func failed(_ error: InstallError) {
        switch error {
        case .binary, .noPlugin: count("COPY_BINARIES_FAILURE")
        case .badName, .configuration, .changedMeanwhile, .agentRuns: count("CREATE_CNI_CONFIG_FAILURE")
        }
        if state.report.reasons != [error.description] {
            logger.error("plugin cannot be installed; trying again", metadata: ["error": "\(error.description)"])
        }
        change(reasons: [error.description], warnings: [], file: nil)
        state.change { report in report.failures += 1 }
    }

    /// Says who must change what, at most once in a while.
    func quarrel(
        _ plan: InstallPlan,
        _ installed: InstalledState,
        _ settings: InstallSettings,
        now: Int,
        _ pauses: InstallPauses
    ) {
        let isDue = lastQuarrel.withLock { last in
            if let last, now - last < pauses.quarrelMilliseconds { return false }
            last = now
            return true
        }
        guard isDue, let name = plan.file else { return }
        let quarrel = Quarrel(
            file: "\(settings.configurationDirectory)/\(name)",
            content: installed.files[name] ?? installed.files.loaded,
            rewrites: HealPace.mostAtOnce
        )
        logger.warning(
            "another program keeps rewriting the configuration",
            metadata: [
                "file": "\(quarrel.file)", "rewrites": "\(quarrel.rewrites) in a minute", "advice": "\(quarrel.advice)",
            ]
        )
        onQuarrel(quarrel)
    }

    private func change(reasons: [String], warnings: [String], file: String?) {
        ready.record(reasons.isEmpty ? 1 : 0)
        state.change { report in
            report.reasons = reasons
            report.warnings = warnings
            report.file = file
        }
    }

    private func count(_ result: String) {
        Counter(label: AgentMetric.installs.name, dimensions: [("result", result)], factory: metrics).increment()
    }
}
