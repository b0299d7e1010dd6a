package import Enforcement
package import Redirect

/// What to do about one pod, and what to say of it (architecture, decision 14).
package struct RepairDecision: Equatable, Sendable {
    package var action: Action

    /// Nil where nothing new was seen.
    package var observation: PodObservation?

    /// How the rules in force differ from the pod's plan, a line each; such rules stay as they are.
    package var differences: [String]

    package enum Action: Equatable, Sendable {
        case nothing

        /// Put the rules in place; nothing of them is in force.
        case apply(RedirectPlan)
        case delete
        case label
    }

    /// What was seen of a pod's sandbox.
    package enum Sight: Equatable, Sendable {
        /// Nobody could look, for this reason.
        case none(String)

        /// - differences: Nil where the rules in force cannot be compared with the plan.
        case rules(RedirectionEvidence, differences: [String]?)
    }

    package init(_ action: Action, _ observation: PodObservation? = nil, differences: [String] = []) {
        self.action = action
        self.observation = observation
        self.differences = differences
    }

    /// Decides about a pod that should be redirected.
    ///
    /// - Parameters:
    ///   - pod: As it is known now.
    ///   - plan: Made from that.
    ///   - sight: What its sandbox shows.
    ///   - verifiedPlan: With which plan everything was seen in force before. What is missing from the same plan now was
    ///     lost; what is missing from another one was never there, since annotations can be edited while a pod runs.
    ///   - isOwn: Whether the rules were put there by this agent or a plugin that reported to it.
    ///   - settings: Those of repair.
    package init(
        _ pod: NodePod,
        _ plan: RedirectPlan,
        _ sight: Sight,
        verifiedPlan: RedirectPlan?,
        isOwn: Bool,
        settings: RepairSettings
    ) {
        switch sight {
        case .none(let reason):
            self.init(Self.symptomAction(pod, settings), PodObservation(.unknown, reason: reason))
        case .rules(let evidence, let differences):
            let missing = evidence.missing(from: plan)
            guard evidence.isInForce, let maker = evidence.maker else {
                let observation = PodObservation(.bypassing, reason: "no redirection is in force")
                let isRepaired = settings.mode == .repair
                self.init(isRepaired ? .apply(plan) : Self.symptomAction(pod, settings), observation)
                return
            }
            let author = maker.author(isOwn: isOwn, differences: differences)
            guard missing.isEmpty else {
                let reason = "not redirected: \(missing.joined(separator: ", "))"
                let isLost = verifiedPlan == plan && settings.mode == .repair
                self.init(
                    isLost ? .apply(plan) : Self.symptomAction(pod, settings),
                    PodObservation(.partial, reason: reason, author: author),
                    differences: differences ?? missing
                )
                return
            }
            let differences = differences ?? []
            let reason =
                differences.isEmpty
                ? "in force, by \(maker.rawValue)"
                : "in force, by \(maker.rawValue); it differs from the pod's plan: \(differences[0])"
            self.init(.nothing, PodObservation(.redirected, reason: reason, author: author), differences: differences)
        }
    }

    /// What delete and label modes do, which look at the symptom alone.
    package static func symptomAction(_ pod: NodePod, _ settings: RepairSettings) -> Action {
        guard settings.selects(pod), pod.phase != .succeeded, settings.hasSymptom(pod) else { return .nothing }
        switch settings.mode {
        case .delete: return .delete
        case .label: return .label
        case .off, .repair: return .nothing
        }
    }
}

extension RedirectionMaker {
    /// `istio-cni` or `upstream`.
    ///
    /// Both projects make the same iptables rules, and the same nf_tables rules where nothing but the plan tells them
    /// apart: those are ours if we know of it.
    fileprivate func author(isOwn: Bool, differences: [String]?) -> String {
        switch self {
        case .ours: Self.ownName
        case .upstreamNFTables: isOwn || differences == [] ? Self.ownName : Self.upstreamName
        case .iptablesNFT, .iptablesLegacy: isOwn ? Self.ownName : Self.upstreamName
        }
    }

    package static let ownName = "istio-cni"
    package static let upstreamName = "upstream"
}

/// Whether a pod is to be looked at.
package enum RepairInterest: Equatable, Sendable {
    /// It is not of the mesh, or never to be touched.
    case none

    /// Not now: somebody else is at it, or it has no sandbox yet.
    case later(String)

    /// Its plan cannot be made, so nobody can say what should be in force.
    case unclear(String)
    case look(RedirectPlan)

    /// How long a plugin that was given a plan is left alone: its ADD may apply it late (architecture, decision 19).
    package static let addMilliseconds = 30_000

    package init(
        _ entry: PodDirectory.Entry,
        settings: RepairSettings,
        backend: RedirectPlan.Backend,
        nowMilliseconds: Int
    ) {
        let pod = entry.pod
        guard settings.concerns(pod), pod.pod.skipReason == nil else {
            self = .none
            return
        }
        if let since = entry.addUnderWaySince, nowMilliseconds - since < Self.addMilliseconds {
            self = .later("an ADD is under way")
            return
        }
        guard !pod.addresses.isEmpty else {
            self = .later("the pod has no address yet")
            return
        }
        guard !SandboxQuery.uids(of: pod).isEmpty else {
            // Of a directory of pods; by its address alone nobody is taken for a pod.
            self = .later("the pod has no UID that a control group could name")
            return
        }
        do throws(PlanError) {
            switch try Decision(pod: pod.pod, addresses: pod.addresses, backend: backend) {
            case .skip: self = .none
            case .redirect(let plan, _): self = .look(plan)
            }
        } catch {
            self = .unclear(error.description)
        }
    }
}
