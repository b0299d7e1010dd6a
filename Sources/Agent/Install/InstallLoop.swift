internal import LinuxKernel

/// Looks, plans, acts, waits for a change; on a thread of its own, since all of that blocks.
struct InstallLoop: Sendable {
    let pauses: InstallPauses
    let report: InstallReport
    let role: @Sendable () -> WriterRole
    let isEnding: @Sendable () -> Bool
    let heartbeat: Heartbeat?
    private let settings: InstallSettings
    private var files: NodeFiles
    private var pace = HealPace()
    private var watch: DirectoryWatch?
    private var failures = 0

    /// What a change in the directories may be followed by.
    private enum Next: Equatable {
        /// Wait for a change, at most so long.
        case changeOrMilliseconds(Int)

        /// Wait so long whatever happens: a failure makes events of its own.
        case milliseconds(Int)
        case now
    }

    init(
        settings: InstallSettings,
        pauses: InstallPauses,
        report: InstallReport,
        role: @escaping @Sendable () -> WriterRole,
        isEnding: @escaping @Sendable () -> Bool,
        heartbeat: Heartbeat? = nil
    ) {
        self.settings = settings
        self.pauses = pauses
        self.report = report
        self.role = role
        self.isEnding = isEnding
        self.heartbeat = heartbeat
        files = NodeFiles(settings)
    }

    /// Runs until the agent ends.
    mutating func run() {
        var hasSwept = false
        report.starts(in: settings.configurationDirectory)
        defer { heartbeat?.rest() }
        while !isEnding() {
            heartbeat?.beat()
            let role = role()
            guard role == .writer else {
                switch role {
                case .standby: report.standBy()
                case .unable(let reason): report.notReady(reason)
                // Before the lock has been tried nobody may have installed anything.
                case .undecided, .writer: break
                }
                Clock.sleep(milliseconds: pauses.waitMilliseconds)
                continue
            }
            let next: Next
            do throws(InstallError) {
                // The watch comes first, so that nothing changes unseen between the two.
                try startWatch()
                if !hasSwept && !settings.entry.isAmbientEnabled { try files.sweep() }
                hasSwept = true
                next = try pass()
                failures = 0
            } catch {
                next = afterFailure(error)
            }
            wait(next)
        }
    }

    // MARK: One pass

    private mutating func pass() throws(InstallError) -> Next {
        let state = try files.state()
        let plan = InstallPlan(settings, state)
        report.skips(plan.skipped)
        let now = Clock.monotonicMilliseconds()
        let isRewrite = plan.steps.contains { step in step.changesConfiguration }
        let pause = isRewrite ? pace.pause(at: now) : 0
        if isRewrite && pace.isQuarrel(at: now) { report.quarrel(plan, state, settings, now: now, pauses) }
        let failure = try take(plan.steps.filter { step in pause == 0 || step == .installBinary }, of: state)
        guard pause == 0 else {
            report.notReady("another program keeps rewriting \(plan.file ?? "the configuration"); it is put back soon")
            return .changeOrMilliseconds(pause)
        }
        if isRewrite { pace.note(at: now) }
        if let failure { throw failure }
        report.stands(plan)
        return .changeOrMilliseconds(pauses.auditMilliseconds)
    }

    /// Takes steps, and returns why the plugin could not be replaced where an older one is there.
    ///
    /// With the older one the entry is still better in place than not; the token that it may need stays.
    private func take(_ steps: [InstallStep], of state: InstalledState) throws(InstallError) -> InstallError? {
        var failure: InstallError?
        for step in steps where failure == nil || step != .removeKubeconfig {
            do throws(InstallError) {
                report.taken(step, try files.take(step, of: state))
            } catch {
                guard step == .installBinary, files.hasAnyBinary else { throw error }
                failure = error
            }
        }
        return failure
    }

    private mutating func afterFailure(_ error: InstallError) -> Next {
        // Somebody else is writing: look again at once, but for ever only with pauses.
        if case .changedMeanwhile = error, failures == 0 {
            failures += 1
            return .now
        }
        report.failed(error)
        // The directory may be another one by now.
        watch = nil
        let pause = pauses.firstRetryMilliseconds << min(failures, 10)
        failures += 1
        return .milliseconds(min(pause, pauses.longestRetryMilliseconds))
    }

    // MARK: Waiting

    /// Watches both directories; where root's user has no inotify instance left, they are looked at each second.
    private mutating func startWatch() throws(InstallError) {
        guard watch == nil else { return }
        do throws(KernelError) {
            watch = try DirectoryWatch(everythingIn: [settings.binaryDirectory, settings.configurationDirectory])
        } catch {
            // EMFILE: fs.inotify.max_user_instances; ENOSPC: max_user_watches (inotify(7)).
            if error.errno == .tooManyOpenFiles || error.errno == .noSpace { return report.cannotWatch(error) }
            throw files.hasBinaryDirectory ? .configuration(error) : .binary(error)
        }
    }

    private mutating func wait(_ next: Next) {
        let start = Clock.monotonicMilliseconds()
        let limit: Int
        switch next {
        case .now: return
        case .changeOrMilliseconds(let milliseconds):
            limit = start + (watch == nil ? min(milliseconds, pauses.unwatchedMilliseconds) : milliseconds)
        case .milliseconds(let milliseconds): limit = start + milliseconds
        }
        while !isEnding() && role() == .writer {
            heartbeat?.beat()
            let rest = limit - Clock.monotonicMilliseconds()
            guard rest > 0 else { return }
            let slice = min(rest, pauses.waitMilliseconds)
            guard case .changeOrMilliseconds = next, let watch else {
                Clock.sleep(milliseconds: slice)
                continue
            }
            guard !hasChange(watch, milliseconds: slice) else { return }
        }
    }

    /// Whether something happened that this agent did not just do itself.
    private mutating func hasChange(_ watch: DirectoryWatch, milliseconds: Int) -> Bool {
        do throws(KernelError) {
            switch try watch.wait(milliseconds: milliseconds) {
            case .nothing: return false
            case .files(let names):
                return names.contains { name in !name.hasPrefix(File.temporaryPrefix) }
            case .everything: return true
            case .gone:
                self.watch = nil
                return true
            }
        } catch {
            // A watch that fails is made again, and what it missed is looked at.
            self.watch = nil
            return true
        }
    }
}
