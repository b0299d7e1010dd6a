internal import CNIProtocol
internal import Foundation

/// `istio-cnictl uninstall`: the release of the agent, and what it left on the nodes.
///
/// The DaemonSet goes first, while agents still have their rights: an agent that ends asks for its DaemonSet, and takes its
/// entry away if that is being deleted. Then the nodes are looked at, then Helm removes the rest.
package struct Removal: Sendable {
    private let cluster: AgentCluster
    private let talk: Conversation

    /// Take away what agents that did not run have left, and the plugin's binary.
    package var cleansNodes = false

    /// Look at the nodes, which needs a pod on each for a moment.
    package var verifies = true

    package var systemNamespace = "istio-system"

    /// How long the nodes may take, in seconds; a binary stays for a minute after its entry.
    package var nodeSeconds = 300
    package var pollMilliseconds = 2_000

    package init(from cluster: AgentCluster, talk: Conversation) {
        self.cluster = cluster
        self.talk = talk
    }

    /// - Parameter isTry: Whether to say what would be done, and do nothing.
    /// - Returns: How it ended; what is left has been said.
    /// - Throws: A ``Refusal`` where there is nothing of ours, or what a program could not do.
    package func run(isTry: Bool = false) throws -> DeployOutcome {
        let release = try theRelease()
        let objects = try cluster.helm.objects(of: release)
        guard objects.contains(where: { InstallPreview.name($0) == Self.mark }),
            let daemonSet = objects.first(where: { $0["kind"]?.string == "DaemonSet" })
        else {
            throw Refusal(
                description: "release \(ReleasePlan.release) in namespace \(release.namespace) is of another chart "
                    + "(\(release.chart)): helm uninstall \(ReleasePlan.release) -n \(release.namespace)"
            )
        }
        let unready = try sayPlan(release, objects)
        if isTry { return .done }
        guard talk.confirm("Uninstall the Istio CNI node agent from namespace \(release.namespace)?") else {
            return .cancelled
        }
        try removeAgents(release)
        var isKnown = unready.isEmpty
        if verifies || cleansNodes {
            let check = NodeCheck(daemonSet, namespace: release.namespace, cleans: cleansNodes, on: cluster)
            let findings = try look(check, in: release.namespace)
            if findings.keepsRelease { return .unfinished }
            // A node whose agent was not ready is known too, once it was looked at.
            let seen = Set(findings.seen.map(\.node))
            isKnown = findings.isWhole && unready.allSatisfy { seen.contains($0.name) }
        }
        try cluster.helm.uninstall(release)
        let left = try objectsLeft(objects, release)
        for name in left { talk.warn("left in the cluster: \(name)") }
        if left.isEmpty { talk.say("Uninstalled: the CNI component. Namespace \(release.namespace) stays.") }
        if !isKnown {
            talk.warn(
                "what is left on the nodes named above is not known; docs/troubleshooting.md says how to remove it by hand"
            )
        }
        return left.isEmpty && isKnown ? .done : .unfinished
    }

    /// Only this project's chart has it.
    private static let mark = "Role/istio-cni-daemonset"

    // MARK: What there is

    private func theRelease() throws -> Helm.Release {
        let releases = try cluster.helm.releases()
        if let release = releases.first, releases.count == 1 { return release }
        if releases.count > 1 {
            let places = releases.map(\.namespace).sorted().joined(separator: ", ")
            throw Refusal(
                description: "releases \(ReleasePlan.release) are in namespaces \(places): remove one with helm first"
            )
        }
        guard let object = try cluster.daemonSets().first else {
            throw Refusal(description: "there is no release \(ReleasePlan.release): nothing to uninstall")
        }
        throw Refusal(
            description: "\(AgentCluster.Owner(object).sentence(object)): remove it with what made it"
        )
    }

    /// Says what goes and what to know; gives the nodes whose agent is not ready.
    private func sayPlan(_ release: Helm.Release, _ objects: [JSONValue]) throws -> [AgentRollout.Node] {
        talk.say("Release \(ReleasePlan.release) (\(release.chart)) in namespace \(release.namespace):")
        for object in objects { talk.say("  \(InstallPreview.name(object))") }
        let warnings = ClusterWarnings(cluster.kubectl)
        for revision in try warnings.revisions(whereUsesAgent: true, in: systemNamespace) {
            talk.warn(
                "istiod of revision \(revision) leaves redirection to the agent: without it new pods of the mesh do not start. "
                    + "Set pilot.cni.enabled=false there first"
            )
        }
        let name = AgentCluster.daemonSet
        let daemonSet = try cluster.kubectl.object("daemonset", name, namespace: release.namespace) ?? .null
        let rollout = AgentRollout(daemonSet, pods: try cluster.pods(of: name, in: release.namespace))
        for node in rollout.waiting {
            talk.warn(
                "node \(node.name) has no ready agent to take its entry away (\(node.reason))"
                    + (cleansNodes ? "" : ": --clean-nodes does it")
            )
        }
        return rollout.waiting
    }

    // MARK: Steps

    /// Until the last agent has ended.
    private func removeAgents(_ release: Helm.Release) throws(ExternalProgram.Failure) {
        talk.say("Ending the agents; each takes its entry off its node")
        let arguments = [
            "delete", "daemonset", AgentCluster.daemonSet, "--namespace", release.namespace, "--ignore-not-found",
            "--cascade=foreground", "--wait", "--timeout=\(nodeSeconds)s",
        ]
        _ = try cluster.kubectl.run(arguments, seconds: nodeSeconds + ExternalProgram.usualSeconds)
    }

    /// Says what is left on each node, and which nodes were not looked at.
    ///
    /// It can be taken away only while the agent's account is there, so if something is left, or nothing was seen, the rest
    /// of the release stays.
    private func look(
        _ check: NodeCheck,
        in namespace: String
    ) throws(ExternalProgram.Failure) -> NodeCheck.Findings {
        talk.say(cleansNodes ? "Cleaning the nodes" : "Looking at the nodes")
        let findings = try check.run(seconds: nodeSeconds, pollMilliseconds: pollMilliseconds)
        for result in findings.results {
            guard let problem = result.problem else { continue }
            talk.warn(
                result.isSeen
                    ? "node \(result.node): \(problem)" : "node \(result.node) could not be looked at: \(problem)"
            )
        }
        sayPodless(findings, namespace)
        talk.say("\(findings.clean) of \(findings.nodes ?? findings.results.count) nodes have nothing left")
        if findings.keepsRelease {
            talk.warn(
                "the release is kept, so that nodes can be cleaned: istio-cnictl uninstall --clean-nodes; "
                    + "to leave them as they are: --no-verify"
            )
        }
        return findings
    }

    private func sayPodless(_ findings: NodeCheck.Findings, _ namespace: String) {
        guard let nodes = findings.nodes else {
            return talk.warn(
                "no controller has looked at DaemonSet \(NodeCheck.name) in \(nodeSeconds) s: it is not known which nodes "
                    + "there are"
            )
        }
        guard findings.podless > 0 else { return }
        talk.warn(
            "\(findings.podless) of \(nodes) nodes could not be looked at: they got no pod of DaemonSet \(NodeCheck.name), "
                + "which a quota or an admission policy may forbid: kubectl -n \(namespace) get events "
                + "--field-selector involvedObject.name=\(NodeCheck.name)"
        )
    }

    private func objectsLeft(_ objects: [JSONValue], _ release: Helm.Release) throws -> [String] {
        let manifest = try YAMLDocuments.text(objects)
        let arguments = [
            "get", "--namespace", release.namespace, "--filename", "-", "--ignore-not-found", "--output", "name",
        ]
        let output = try cluster.kubectl.run(arguments, input: Array(manifest.utf8))
        return String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    }
}
