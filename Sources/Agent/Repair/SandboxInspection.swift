package import Enforcement
internal import LinuxKernel
package import Redirect

/// Looks into sandboxes and puts rules there: all that blocks.
package struct SandboxInspection: Sendable {
    private let finder: SandboxFinder
    private let enforcer: Enforcer
    private let backend: RedirectPlan.Backend

    package init(finder: SandboxFinder, enforcer: Enforcer = Enforcer(), backend: RedirectPlan.Backend) {
        self.finder = finder
        self.enforcer = enforcer
        self.backend = backend
    }

    /// What one look at a pod brought.
    package struct Sighting: Sendable {
        package let sight: RepairDecision.Sight

        /// Nil where it was not found.
        let sandbox: Sandbox?

        /// Whether a person has to know why nobody could look: it will not pass by itself.
        let isStrange: Bool
    }

    /// Whether the host's processes can be seen at all.
    package var canLook: Bool { finder.canLook }

    /// Finds the sandboxes of some pods, in one pass for all, and reads which rules are in force there.
    ///
    /// - Parameters:
    ///   - pods: Those to look at.
    ///   - all: All pods of the node.
    ///   - progress: Called after each.
    /// - Returns: What was seen, in the order of the pods.
    package func look(
        at pods: [(pod: NodePod, plan: RedirectPlan)],
        among all: [NodePod],
        progress: () -> Void = {}
    ) -> [Sighting] {
        let findings: [String: SandboxFinding]
        do throws(KernelError) {
            findings = try finder.find(SandboxQuery(pods.map { $0.pod }, among: all))
        } catch {
            // Said once for the whole node, when the agent starts.
            return pods.map { _ in Sighting(sight: .none(error.description), sandbox: nil, isStrange: false) }
        }
        return pods.map { pod, plan in
            defer { progress() }
            return sighting(findings[pod.pod.uid] ?? .notFound, plan)
        }
    }

    private func sighting(_ finding: SandboxFinding, _ plan: RedirectPlan) -> Sighting {
        let sandbox: Sandbox
        switch finding {
        case .found(let found): sandbox = found
        case .notFound: return Sighting(sight: .none("its sandbox is not found"), sandbox: nil, isStrange: false)
        case .addressIsElsewhere(let process, let uid):
            return strange("process \(process) has its address and belongs to the pod with the UID \(uid)")
        case .addressDiffers(let process):
            return strange("the namespace of its process \(process) has none of its addresses")
        case .shared(let process):
            return strange("the namespace of its process \(process) is not its own")
        case .unreadable(let error): return strange(error.description)
        }
        do throws(EnforcementError) {
            let evidence = try enforcer.evidence(in: sandbox.namespace)
            let differences = try differences(plan, evidence, sandbox)
            return Sighting(sight: .rules(evidence, differences: differences), sandbox: sandbox, isStrange: false)
        } catch {
            return strange(error.description)
        }
    }

    private func strange(_ reason: String) -> Sighting { Sighting(sight: .none(reason), sandbox: nil, isStrange: true) }

    /// How the rules in force differ from the plan; nil where they cannot be compared with it.
    ///
    /// Upstream's nf_tables rules are spelled in another way, and reading iptables takes a program: only a node whose
    /// own back-end it is does that.
    private func differences(
        _ plan: RedirectPlan,
        _ evidence: RedirectionEvidence,
        _ sandbox: Sandbox
    ) throws(EnforcementError) -> [String]? {
        var plan = plan
        switch evidence.maker {
        case nil: return nil
        case .ours, .upstreamNFTables: plan.backend = .nftables
        case .iptablesNFT, .iptablesLegacy:
            guard backend == .iptables else { return nil }
            plan.backend = .iptables
        }
        let differences = try enforcer.drift(from: plan, in: sandbox.namespace).differences
        return evidence.maker == .upstreamNFTables && !differences.isEmpty ? nil : differences
    }

    /// Puts a plan in force, and looks whether it is.
    ///
    /// - Throws: Why it is not.
    package func apply(_ plan: RedirectPlan, in sandbox: Sandbox) throws(RepairFailure) {
        do throws(EnforcementError) {
            try enforcer.apply(plan, in: sandbox.namespace)
            let missing = try enforcer.evidence(in: sandbox.namespace).missing(from: plan)
            let drift = try enforcer.drift(from: plan, in: sandbox.namespace)
            guard let problem = missing.first ?? drift.differences.first else { return }
            throw EnforcementError.programFailed("verification", output: problem)
        } catch {
            throw RepairFailure(reason: error.description)
        }
    }
}

extension Enforcer {
    /// Waits for others for a moment only, since repair looks again soon: no single call lasts as long as the watchdog
    /// waits, nor as the end of the agent.
    package static let ofRepair = Enforcer(
        lockWaitMilliseconds: 2_000,
        programs: IPTablesPrograms(lockWaitSeconds: 2)
    )
}

/// Why a pod was not repaired.
package struct RepairFailure: Error, Equatable, Sendable {
    package let reason: String
}
