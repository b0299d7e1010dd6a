/// What `try` found out.
package struct TryReport: Codable, Equatable, Sendable {
    package var pod: String

    /// What the agent decided: `redirect`, or `skip: REASON`.
    package var decision = ""
    package var interceptionMode: String?
    package var backend: String?
    package var podAddresses: [String] = []

    /// How several users were had: `as root`, or otherwise.
    package var users = ""

    /// The program of the pod's proxy; nil where a stand-in was enough.
    package var envoy: String?
    package var connections: [Connection] = []

    /// What Envoy says itself about the connections that landed in it.
    package var counters: [Counter] = []
    package var validation: Validation?
    package var phases: [Phase] = []

    /// What a person should know beside.
    package var notes: [String] = []

    /// Why `try` could not go on.
    package var failure: String?
    package var kept: [KeptNamespaces] = []

    package init(pod: String) { self.pod = pod }

    /// One real connection, or one datagram and its answer.
    package struct Connection: Codable, Equatable, Sendable {
        package var title: String
        package var transport: String
        package var from: String
        package var to: String

        /// Where it landed: `sidecar:15001 for 203.0.113.10:80`; nil where it was not tried.
        package var landed: String?

        /// Where the plan says that it lands.
        package var expected: String

        /// The name of the rule that decided (`docs/rules.md`), and its sentence; nil where none had a say.
        package var rule: String?
        package var explanation: String?

        /// Why it was not tried.
        package var notTried: String?

        /// What a person should know about how the landing was seen.
        package var remark: String?

        package var isAsPlanned: Bool { notTried != nil || landed == expected }
    }

    /// One of Envoy's counters.
    package struct Counter: Codable, Equatable, Sendable {
        package var name: String
        package var value: Int

        /// How many connections of that kind were made.
        package var expected: Int

        package var isAsPlanned: Bool { value == expected }
    }

    package struct Validation: Codable, Equatable, Sendable {
        package var isPassed: Bool

        /// One line.
        package var result: String
    }

    package struct Phase: Codable, Equatable, Sendable {
        package var name: String
        package var microseconds: Int
    }

    /// Namespaces that `--keep` has left, held by one process.
    package struct KeptNamespaces: Codable, Equatable, Sendable {
        package var process: Int32
        package var hasUserNamespace: Bool
        package var users: String
    }

    /// Whether everything happened, and as planned.
    package var isAsPlanned: Bool {
        failure == nil && validation?.isPassed != false && connections.allSatisfy(\.isAsPlanned)
            && counters.allSatisfy(\.isAsPlanned) && connections.contains { $0.notTried == nil }
    }

    /// Adds what another pass over the same pod found out.
    package mutating func add(_ other: TryReport) {
        decision = decision.isEmpty ? other.decision : decision
        interceptionMode = interceptionMode ?? other.interceptionMode
        backend = backend ?? other.backend
        podAddresses = podAddresses.isEmpty ? other.podAddresses : podAddresses
        envoy = envoy ?? other.envoy
        connections += other.connections
        counters += other.counters
        validation = validation ?? other.validation
        phases += other.phases
        notes += other.notes.filter { !notes.contains($0) }
        failure = failure ?? other.failure
        kept += other.kept
    }
}
