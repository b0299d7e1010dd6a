import CNIProtocol

/// What the plugin tells the agent once an ADD is over (`POST /v1/report`).
package struct AddReport: Equatable, Sendable {
    package static let path = "/v1/report"

    package var podNamespace: String
    package var podName: String
    package var containerID: String
    package var phases: Phases
    package var outcome: Outcome

    /// JSON log lines of the call, each an object with `level`, `time` and `msg`, as on the plugin's standard error.
    package var log: [String]

    /// How long each phase took, in µs.
    package struct Phases: Equatable, Sendable {
        /// Reading the environment and the configuration.
        package var decode: Int

        /// Asking the agent, waiting included.
        package var lookup: Int

        /// Making the rules true.
        package var apply: Int

        package init(decode: Int = 0, lookup: Int = 0, apply: Int = 0) {
            self.decode = decode
            self.lookup = lookup
            self.apply = apply
        }
    }

    /// How the ADD ended.
    ///
    /// A closed set, since it becomes a metric's label.
    package enum Outcome: String, CaseIterable, Sendable {
        case redirected
        case skipped

        /// The pod itself has to change.
        case refused

        /// The runtime was told to try again.
        case tryAgain = "try-again"
        case failed
    }

    package init(
        podNamespace: String,
        podName: String,
        containerID: String,
        phases: Phases,
        outcome: Outcome,
        log: [String] = []
    ) {
        self.podNamespace = podNamespace
        self.podName = podName
        self.containerID = containerID
        self.phases = phases
        self.outcome = outcome
        self.log = log
    }

    /// Reads a report.
    ///
    /// Members that are unknown here come from a newer plugin and are passed over.
    package init(_ bytes: [UInt8]) throws(MessageError) {
        let reader = try MessageReader(bytes, path: "report")
        podNamespace = try reader.filledText("podNamespace", limit: MessageLimits.nameBytes)
        podName = try reader.filledText("podName", limit: MessageLimits.nameBytes)
        containerID = try reader.filledText("containerID", limit: MessageLimits.identifierBytes)
        let times = try reader.object("phases")
        let range = 0...MessageLimits.phaseMicroseconds
        phases = Phases(
            decode: try times.integer("decode", in: range),
            lookup: try times.integer("lookup", in: range),
            apply: try times.integer("apply", in: range)
        )
        guard let outcome = Outcome(rawValue: try reader.text("outcome", limit: 32)) else {
            throw MessageError(reader.field("outcome"), .notA("an outcome of ADD"))
        }
        self.outcome = outcome
        log = try reader.texts("log", limit: MessageLimits.logLines, textLimit: MessageLimits.logLineBytes)
    }

    /// The message, with no more log lines than the agent takes: what is too much or too long is left out.
    package func bytes() -> [UInt8] {
        let lines = log.filter { line in line.utf8.count <= MessageLimits.logLineBytes }
            .suffix(MessageLimits.logLines)
        return JSONValue.object([
            JSONMember("podNamespace", .string(podNamespace)),
            JSONMember("podName", .string(podName)),
            JSONMember("containerID", .string(containerID)),
            JSONMember(
                "phases",
                .object([
                    JSONMember("decode", .integer(phases.decode)),
                    JSONMember("lookup", .integer(phases.lookup)),
                    JSONMember("apply", .integer(phases.apply)),
                ])
            ),
            JSONMember("outcome", .string(outcome.rawValue)),
            JSONMember("log", .array(lines.map { line in .string(line) })),
        ]).bytes()
    }
}
