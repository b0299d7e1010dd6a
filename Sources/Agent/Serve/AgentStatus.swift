package import CNIProtocol
internal import LinuxKernel
internal import Metrics
internal import Redirect
internal import Synchronization

/// What `/v1/status` says about the agent itself.
package final class AgentStatus: Sendable {
    package let backend: BackendChoice
    package let version: String
    package let readiness: Readiness

    private let currentRole = Mutex(WriterRole.undecided)
    private let passedAnnotations = Mutex<Bool?>(nil)
    private let repair = Mutex<(pod: String, atMilliseconds: Int)?>(nil)

    /// How long the last ADDs took.
    let addTimes = AddTimes()

    /// Of the node that this agent is on; empty where nobody said it.
    private let nodeName: String
    private let install: InstallState

    package init(
        backend: BackendChoice,
        version: String,
        readiness: Readiness,
        nodeName: String = "",
        install: InstallState = InstallState()
    ) {
        self.backend = backend
        self.version = version
        self.readiness = readiness
        self.nodeName = nodeName
        self.install = install
    }

    /// Notes a pod that was repaired, deleted or labelled.
    func recordRepair(of pod: String) {
        repair.withLock { repair in repair = (pod, Clock.monotonicMilliseconds()) }
    }

    /// Whether this agent is the one of its node that writes.
    package var role: WriterRole {
        get { currentRole.withLock { role in role } }
        set { currentRole.withLock { role in role = newValue } }
    }

    package var writes: Bool { role == .writer }

    /// Whether the container runtime hands pod annotations to plugins; nil until one has told (decision 9).
    package var runtimePassesAnnotations: Bool? {
        get { passedAnnotations.withLock { isPassed in isPassed } }
        set {
            passedAnnotations.withLock { isPassed in isPassed = newValue }
            if let newValue { Gauge(label: "istio_cni_annotations_supported").record(newValue ? 1 : 0) }
        }
    }

    package func value(pods: PodDirectory) -> JSONValue {
        let reasons = readiness.obstacles.map { obstacle in JSONValue.string(obstacle.reason) }
        return .object([
            JSONMember("ready", .bool(reasons.isEmpty)),
            JSONMember("reasons", .array(reasons)),
            JSONMember("writer", .bool(writes)),
            JSONMember("role", .string(role.text)),
            JSONMember("pods", .integer(pods.count)),
            JSONMember("backend", .string(backend.backend.rawValue)),
            JSONMember("backendReason", .string(backend.reason)),
            JSONMember("version", .string(version)),
            JSONMember(
                "runtimePassesAnnotations",
                runtimePassesAnnotations.map { isPassed in .bool(isPassed) } ?? .null
            ),
            JSONMember("nodeName", .string(nodeName)),
            JSONMember("addTimes", addTimes.value),
            JSONMember("lastRepair", lastRepair),
            JSONMember("configuration", install.report.writes?.value ?? .null),
        ])
    }

    private var lastRepair: JSONValue {
        guard let (pod, moment) = repair.withLock({ repair in repair }) else { return .null }
        return .object([
            JSONMember("pod", .string(pod)),
            JSONMember("secondsAgo", .integer((Clock.monotonicMilliseconds() - moment) / 1_000)),
        ])
    }
}
