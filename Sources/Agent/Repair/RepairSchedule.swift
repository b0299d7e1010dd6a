package import Redirect

/// When each pod is looked at again, and what is remembered of it until then.
///
/// It holds no clock: it is told the time, in milliseconds from wherever.
package struct RepairSchedule: Sendable {
    private var memories: [String: Memory] = [:]

    /// By the UID of the controller: the pods of one workload fail alike.
    private var failures: [String: Failures] = [:]

    private struct Memory: Sendable {
        var lookedMilliseconds: Int?

        /// With which everything was seen in force.
        var verifiedPlan: RedirectPlan?
        var isOwn = false
        var isDifferent = false

        /// It was deleted or labelled, which is done once.
        var isActedUpon = false
        var said: [Topic: String] = [:]
    }

    /// What people are told about.
    package enum Topic: Sendable {
        case sight
        case action
    }

    private struct Failures: Sendable {
        var count = 0
        var untilMilliseconds = 0
    }

    /// How often a pod is looked at that was not seen redirected yet.
    package static let firstPauseMilliseconds = 1_000

    /// How often one is looked at that was.
    package static let laterPauseMilliseconds = 60_000

    /// The pause after a failure, which doubles with each up to the longest.
    package static let failurePauseMilliseconds = 1_000
    package static let longestPauseMilliseconds = 300_000

    package init() {}

    /// Forgets pods and owners that are gone.
    package mutating func keep(_ pods: [NodePod]) {
        let uids = Set(pods.map { pod in pod.pod.uid })
        let owners = Set(pods.map { pod in pod.ownerUID })
        memories = memories.filter { uid, _ in uids.contains(uid) }
        failures = failures.filter { owner, _ in owners.contains(owner) }
    }

    /// Whether it is a pod's turn.
    package func isDue(_ entry: PodDirectory.Entry, at now: Int) -> Bool {
        guard let memory = memories[entry.pod.pod.uid], let looked = memory.lookedMilliseconds else { return true }
        // A new sandbox has no observation, whatever was seen in the one before.
        let isSeen = entry.observation?.state == .redirected || entry.observation?.state == .partial
        return now - looked >= (isSeen ? Self.laterPauseMilliseconds : Self.firstPauseMilliseconds)
    }

    package mutating func looked(at pod: NodePod, now: Int) {
        memories[pod.pod.uid, default: Memory()].lookedMilliseconds = now
    }

    // MARK: - What was seen

    package func verifiedPlan(of pod: NodePod) -> RedirectPlan? { memories[pod.pod.uid]?.verifiedPlan }

    package func isOwn(_ pod: NodePod) -> Bool { memories[pod.pod.uid]?.isOwn ?? false }

    package mutating func verified(_ pod: NodePod, _ plan: RedirectPlan, isOwn: Bool) {
        memories[pod.pod.uid, default: Memory()].verifiedPlan = plan
        if isOwn { memories[pod.pod.uid, default: Memory()].isOwn = true }
    }

    package mutating func differs(_ pod: NodePod, _ isDifferent: Bool) {
        memories[pod.pod.uid, default: Memory()].isDifferent = isDifferent
    }

    /// How many pods have rules in force that are not those of their plan.
    package var differingCount: Int { memories.values.count { memory in memory.isDifferent } }

    // MARK: - What was done

    package func isActedUpon(_ pod: NodePod) -> Bool { memories[pod.pod.uid]?.isActedUpon ?? false }

    package mutating func actedUpon(_ pod: NodePod) {
        memories[pod.pod.uid, default: Memory()].isActedUpon = true
    }

    /// Whether something new is to be said of a pod: the same sentence is said once, until another one was.
    package mutating func isNews(_ sentence: String?, of pod: NodePod, about topic: Topic) -> Bool {
        defer { memories[pod.pod.uid, default: Memory()].said[topic] = sentence }
        return sentence != nil && memories[pod.pod.uid]?.said[topic] != sentence
    }

    /// Whether pods of the same owner failed too short a time ago.
    package func isHeldBack(_ pod: NodePod, at now: Int) -> Bool {
        now < failures[pod.ownerUID]?.untilMilliseconds ?? now
    }

    package mutating func failed(_ pod: NodePod, at now: Int) {
        var failure = failures[pod.ownerUID] ?? Failures()
        let doublings = min(failure.count, Self.mostDoublings)
        let pause = min(Self.failurePauseMilliseconds << doublings, Self.longestPauseMilliseconds)
        failure.count += 1
        failure.untilMilliseconds = now + pause
        failures[pod.ownerUID] = failure
    }

    package mutating func succeeded(_ pod: NodePod) { failures[pod.ownerUID] = nil }

    /// Enough to reach the longest pause.
    private static let mostDoublings = 10
}
