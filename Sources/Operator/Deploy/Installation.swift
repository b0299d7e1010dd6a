internal import CNIProtocol
internal import Foundation

/// `istio-cnictl install`: the release of the agent, made or changed, and looked at until every node is ready.
package struct Installation: Sendable {
    private let cluster: AgentCluster
    private let chart: Chart
    private let plan: ReleasePlan
    private let talk: Conversation

    /// How long to wait for the nodes, in seconds.
    package var readinessSeconds = 300

    /// Between two looks at the nodes.
    package var pollMilliseconds = 2_000

    package init(_ plan: ReleasePlan, chart: Chart, on cluster: AgentCluster, talk: Conversation) {
        self.plan = plan
        self.chart = chart
        self.cluster = cluster
        self.talk = talk
    }

    /// Says what is in the way or to be known, asks, installs and waits.
    ///
    /// - Parameter isForced: Whether to go on where the agent would not become ready.
    /// - Returns: How it ended; nodes that are not ready have been named.
    /// - Throws: A ``Refusal``, or what a program could not do.
    package func run(isForced: Bool = false) throws -> DeployOutcome {
        try prepare(isForced: isForced)
        guard talk.confirm("Install the Istio CNI node agent into namespace \(plan.namespace)?") else {
            return .cancelled
        }
        talk.say("Installing release \(ReleasePlan.release) into namespace \(plan.namespace)")
        try cluster.helm.upgrade(plan, chart: chart)
        guard try isReady() else { return .unfinished }
        talk.say("Installed: the CNI component, in namespace \(plan.namespace)")
        sayWhatIsNot()
        return .done
    }

    /// `--dry-run`: says and refuses what ``run(isForced:)`` would, and changes nothing.
    ///
    /// - Returns: How the cluster would change.
    /// - Throws: As ``run(isForced:)``.
    package func preview(isForced: Bool = false) throws -> String {
        try prepare(isForced: isForced)
        let text = try InstallPreview(plan, chart: chart, on: cluster).text()
        sayWhatIsNot()
        return text
    }

    // MARK: Before

    private func prepare(isForced: Bool) throws {
        if plan.asksForAmbient {
            guard isForced else { throw Refusal(description: ReleasePlan.noAmbient) }
            talk.warn(ReleasePlan.noAmbient)
        }
        if let refusal = try cluster.obstacle(namespace: plan.namespace) { throw refusal }
        try warn()
    }

    private func warn() throws {
        let warnings = ClusterWarnings(cluster.kubectl)
        for revision in try warnings.revisions(whereUsesAgent: false, in: plan.systemNamespace) {
            talk.warn(
                "istiod of revision \(revision) still injects istio-init: set pilot.cni.enabled=true there, "
                    + "or its pods need NET_ADMIN as before"
            )
        }
        for check in [warnings.cilium, warnings.calico] {
            for line in try check() { talk.warn(line) }
        }
    }

    // MARK: After

    /// Waits for the nodes; says which are not ready at the end.
    private func isReady() throws -> Bool {
        let deadline = Date(timeIntervalSinceNow: TimeInterval(readinessSeconds))
        var said = ""
        while true {
            let rollout = try look()
            if rollout.isDone {
                sayDone(rollout)
                return true
            }
            if rollout.progress != said { talk.say("Waiting: \(rollout.progress)") }
            said = rollout.progress
            guard Date() < deadline else {
                sayWaiting(rollout)
                return false
            }
            Thread.sleep(forTimeInterval: Double(pollMilliseconds) / 1_000)
        }
    }

    private func look() throws(ExternalProgram.Failure) -> AgentRollout {
        let name = AgentCluster.daemonSet
        guard let object = try cluster.kubectl.object("daemonset", name, namespace: plan.namespace) else {
            throw ExternalProgram.Failure("Helm has made no DaemonSet \(name) in namespace \(plan.namespace)")
        }
        return AgentRollout(object, pods: try cluster.pods(of: name, in: plan.namespace))
    }

    private func sayDone(_ rollout: AgentRollout) {
        if rollout.desired == 0 {
            talk.warn("no node is to have an agent: it runs on nodes with kubernetes.io/os=linux and arch=amd64")
        } else {
            talk.say("Ready on all \(rollout.desired) nodes")
        }
        guard rollout.updated < rollout.desired else { return }
        talk.warn(
            "updateStrategy is OnDelete: \(rollout.desired - rollout.updated) nodes run the agent of before until you delete "
                + "its pods"
        )
    }

    private func sayWaiting(_ rollout: AgentRollout) {
        talk.warn("not ready after \(readinessSeconds) s: \(rollout.progress)")
        for node in rollout.waiting { talk.warn("node \(node)") }
        guard rollout.missing > 0 else { return }
        talk.warn(
            "\(rollout.missing) nodes have no pod of this version: "
                + "kubectl -n \(plan.namespace) describe daemonset/\(AgentCluster.daemonSet)"
        )
    }

    private func sayWhatIsNot() {
        guard !plan.others.isEmpty else { return }
        talk.say("The document also enables what is not installed here. Unless it is there already:")
        talk.say("  \(OtherComponent.repository)")
        for other in plan.others { talk.say("  \(other.command)") }
        talk.say("What else the document sets for them goes into a file of values, given with -f.")
    }
}
