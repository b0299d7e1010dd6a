internal import Agent
internal import AgentProtocol
package import CNIProtocol
package import Redirect

/// What the agent would say about a pod, and why.
package struct ExplainedPod: Sendable {
    package let name: String
    package let addresses: [String]

    /// Whether the addresses are made up, since the pod has none yet.
    package let hasSampleAddresses: Bool
    package let steps: [DecisionStep]
    package let outcome: Outcome
    package let warnings: [String]

    package enum Outcome: Sendable {
        case redirect(RedirectPlan)

        /// The runtime never calls a plugin about it.
        case onHostNetwork
        case skip(SkipReason)
    }

    /// What is wrong with a pod, so that it cannot start.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        /// `NAMESPACE/NAME`.
        package let name: String
        package let problem: String

        package var description: String { "\(name): \(problem)" }
    }

    /// What is not said by the pod itself.
    package struct Circumstances: Sendable {
        /// Of the sandbox; none: the pod's own, or samples of the families that it is to have.
        package var addresses: [String] = []
        package var backend = RedirectPlan.Backend.nftables
        package var excludedNamespaces = ["kube-system"]
        package var agentNamespace = "istio-system"

        package init() {}
    }

    /// - Parameters:
    ///   - manifest: The pod.
    ///   - circumstances: Of its node.
    /// - Throws: What is wrong with the pod, under its name: it could not start.
    package init(_ manifest: PodManifest, _ circumstances: Circumstances = Circumstances()) throws(Failure) {
        let name = "\(manifest.namespace)/\(manifest.name)"
        let node: NodePod
        do throws(PodError) {
            node = try NodePod(manifest.json)
        } catch {
            throw Failure(name: name, problem: error.description)
        }
        self.name = name
        let own = circumstances.addresses.isEmpty ? node.addresses : circumstances.addresses
        hasSampleAddresses = own.isEmpty
        addresses = own.isEmpty ? manifest.families.map { Self.sample($0) } : own
        var pod = node.pod
        pod.namespace = manifest.namespace
        let early = EarlyDecision(
            podName: pod.name,
            podNamespace: pod.namespace,
            annotations: manifest.annotations,
            settings: EarlyDecision.Settings(
                agentNamespace: circumstances.agentNamespace,
                excludedNamespaces: circumstances.excludedNamespaces
            )
        )
        let (outcome, warnings) = try Self.decide(node, pod, early, addresses, circumstances.backend)
        self.outcome = outcome
        let evasions =
            if case .redirect(let plan) = outcome { CaptureEvasion.all(of: node, manifest, plan) } else { [String]() }
        self.warnings = warnings + evasions
        steps = DecisionStep.taken(until: outcome)
    }

    private static func decide(
        _ node: NodePod,
        _ pod: Pod,
        _ early: EarlyDecision,
        _ addresses: [String],
        _ backend: RedirectPlan.Backend
    ) throws(Failure) -> (Outcome, [String]) {
        if node.isOnHostNetwork { return (.onHostNetwork, []) }
        // The injector's mark is looked for twice; what the pod itself says names the reason better.
        if case .skip(let reason) = early, reason != .notInjected { return (.skip(reason), []) }
        do throws(PlanError) {
            switch try Decision(pod: pod, addresses: addresses, backend: backend) {
            case .skip(let reason): return (.skip(reason), [])
            case .redirect(let plan, let warnings): return (.redirect(plan), warnings.map { $0.description })
            }
        } catch {
            throw Failure(name: "\(pod.namespace)/\(pod.name)", problem: error.description)
        }
    }

    private static func sample(_ family: AddressFamily) -> String {
        switch family {
        case .ipv4: "10.244.0.2/24"
        case .ipv6: "fd00:10:244::2/64"
        }
    }

    package var plan: RedirectPlan? {
        if case .redirect(let plan) = outcome { plan } else { nil }
    }

    /// The answer in one line.
    package var sentence: String {
        switch outcome {
        case .redirect(let plan):
            "redirected: \(plan.interceptionMode.rawValue), \(plan.redirectsIPv6 ? "IPv4 and IPv6" : "IPv4")"
        case .onHostNetwork: "not redirected: the pod is on the host's network, so no CNI plugin is called for it"
        case .skip(let reason):
            "not redirected: \(reason.sentence.prefix(1).lowercased())\(reason.sentence.dropFirst())"
        }
    }

    /// For programs.
    package var value: JSONValue {
        var members = [
            JSONMember("pod", .string(name)),
            JSONMember("decision", .string(plan == nil ? "skip" : "redirect")),
            JSONMember("sentence", .string(sentence)),
            JSONMember("addresses", .array(addresses.map { .string($0) })),
            JSONMember("hasSampleAddresses", .bool(hasSampleAddresses)),
            JSONMember("steps", .array(steps.map { $0.value })),
            JSONMember("warnings", .array(warnings.map { .string($0) })),
        ]
        if case .skip(let reason) = outcome { members.append(JSONMember("reason", .string(reason.rawValue))) }
        if let plan {
            members.append(JSONMember("plan", PlanFormat.value(of: plan)))
            members.append(JSONMember("notCaptured", .array(CaptureGap.all(of: plan).map { $0.value })))
        }
        return .object(members)
    }
}
