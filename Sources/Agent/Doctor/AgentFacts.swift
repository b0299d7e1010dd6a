internal import CNIProtocol
internal import LinuxKernel

/// The agent of this node, and others beside it.
struct AgentFacts: Equatable, Sendable {
    var state = State.away("")

    /// Whether a socket is there though nobody answers on it.
    var hasDeadSocket = false
    var socketPath = ""

    /// What the agent has written to the configuration directory; nil where it does not say.
    var writes: ConfigurationWrites?

    /// Processes of agents in other containers.
    var others: [Int32] = []

    enum State: Equatable, Sendable {
        case away(String)
        case answers(reasons: [String], passesAnnotations: Bool?)
    }
}

// MARK: - Looking

extension AgentFacts {
    init(_ places: DoctorPlaces, _ processes: NodeProcesses) {
        let client = AgentClient(runDirectory: places.install.entry.runDirectory)
        socketPath = client.socketPath
        do throws(AgentClient.Failure) {
            let status = try client.get("/v1/status")
            state = .answers(
                reasons: status["reasons"]?.strings ?? [],
                passesAnnotations: status["runtimePassesAnnotations"]?.bool
            )
            writes = status["configuration"].flatMap(ConfigurationWrites.init)
        } catch {
            state = .away(error.description)
            hasDeadSocket = Self.exists(client.socketPath)
        }
        let own = Self.mountNamespace(of: "\(places.ownProcesses)/self")
        others = processes.named("install-cni").filter { process in
            let theirs = Self.mountNamespace(of: "\(processes.directory)/\(process.number)")
            return theirs != nil && own != nil && theirs != own
        }.map { process in process.number }
    }

    private static func exists(_ path: String) -> Bool {
        do throws(KernelError) { return try FileStatus.of(path) != nil } catch { return false }
    }

    /// Nil where it cannot be looked at: then a process counts as one of ours.
    private static func mountNamespace(of process: String) -> UInt64? {
        do throws(KernelError) { return try FileStatus.of("\(process)/ns/mnt")?.inode } catch { return nil }
    }
}

// MARK: - What it means

package enum AgentFinding: String, FindingKind {
    case ready = "agent-ready"
    case away = "agent-away"
    case notReady = "agent-not-ready"
    case deadSocket = "socket-without-listener"
    case second = "second-agent"
    case passesAnnotations = "annotations-passed"
    case unknownAnnotations = "annotations-unknown"
    case noAnnotations = "annotations-missing"

    package static var subject: String { "agent" }

    package var entry: FindingEntry {
        switch self {
        case .ready: FindingEntry(.good, "The agent answers and is ready.")
        case .away:
            FindingEntry(
                .bad,
                "No agent answers on this node: new pods of the mesh wait for it.",
                "kubectl get pods --all-namespaces --selector k8s-app=istio-cni-node --output wide shows the agents."
            )
        case .notReady:
            FindingEntry(
                .bad,
                "The agent answers and is not ready, for the reasons that are listed.",
                "docs/observing.md says what each reason means."
            )
        case .deadSocket:
            FindingEntry(
                .bad,
                "The socket is there and nobody answers on it: an agent was killed, or another program took it over.",
                "Wait some seconds for the agent's restart; else kubectl logs of the agent's pod says what keeps it."
            )
        case .second:
            FindingEntry(
                .doubtful,
                "A second agent runs on this node. Only one of them writes; an update with surge has two for a while.",
                "If it stays: kubectl get daemonsets --all-namespaces, and remove the one that is not wanted."
            )
        case .passesAnnotations:
            FindingEntry(.good, "The runtime hands pod annotations to plugins: pods outside the mesh need no agent.")
        case .unknownAnnotations:
            FindingEntry(.doubtful, "Not known before the runtime has started a pod on this node.")
        case .noAnnotations:
            FindingEntry(
                .doubtful,
                "The runtime hands no pod annotations to plugins, so pods outside the mesh need the agent to start.",
                "Use containerd, or CRI-O from 1.29, and no delegation by Multus; docs/compatibility.md."
            )
        }
    }
}

extension AgentFacts {
    var findings: [DoctorReport.Finding] { [presence] + second + [annotations] }

    private var presence: DoctorReport.Finding {
        switch state {
        case .away(let reason) where hasDeadSocket: AgentFinding.deadSocket.finding("\(socketPath): \(reason)")
        case .away(let reason): AgentFinding.away.finding(reason)
        case .answers([], _): AgentFinding.ready.finding("answers at \(socketPath)")
        case .answers(let reasons, _): AgentFinding.notReady.finding(reasons.joined(separator: "; "))
        }
    }

    private var second: [DoctorReport.Finding] {
        guard !others.isEmpty else { return [] }
        let list = others.map { number in "\(number)" }.joined(separator: ", ")
        return [AgentFinding.second.finding("install-cni also runs in other containers: process \(list)")]
    }

    private var annotations: DoctorReport.Finding {
        guard case .answers(_, let passes?) = state else {
            return AgentFinding.unknownAnnotations.finding("no pod of the mesh has been started yet")
        }
        return passes
            ? AgentFinding.passesAnnotations.finding("runtimeConfig has them")
            : AgentFinding.noAnnotations.finding("runtimeConfig has no io.kubernetes.cri.pod-annotations")
    }
}
