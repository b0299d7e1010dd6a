package import CNIProtocol

/// The user's own `kubectl`: their kubeconfig, their context, their rights.
package struct Kubectl: Sendable {
    package let program: ExternalProgram
    private let context: [String]

    /// - Parameters:
    ///   - program: `kubectl`.
    ///   - kubeconfig: A file other than the one that `kubectl` takes by itself.
    ///   - context: One of its contexts other than the current one.
    package init(_ program: ExternalProgram, kubeconfig: String? = nil, context: String? = nil) {
        self.program = program
        self.context =
            (kubeconfig.map { ["--kubeconfig", $0] } ?? []) + (context.map { ["--context", $0] } ?? [])
    }

    /// Calls `kubectl`, whatever its status.
    package func outcome(
        _ arguments: [String],
        input: [UInt8] = [],
        seconds: Int = ExternalProgram.usualSeconds
    ) throws(ExternalProgram.Failure) -> ExternalProgram.Outcome {
        try program.outcome(context + arguments, input: input, seconds: seconds)
    }

    /// Calls `kubectl`, and gives what it wrote.
    package func run(
        _ arguments: [String],
        input: [UInt8] = [],
        seconds: Int = ExternalProgram.usualSeconds
    ) throws(ExternalProgram.Failure) -> [UInt8] {
        try program.run(context + arguments, input: input, seconds: seconds)
    }

    /// Calls `kubectl ... --output json`, and reads the answer.
    ///
    /// - Throws: As ``run(_:input:seconds:)``, and that the answer is no JSON.
    package func json(_ arguments: [String]) throws(ExternalProgram.Failure) -> JSONValue {
        try value(of: run(arguments + ["--output", "json"]), arguments)
    }

    /// One object, or nil if there is none of that name.
    package func object(
        _ kind: String,
        _ name: String,
        namespace: String?
    ) throws(ExternalProgram.Failure) -> JSONValue? {
        let place = namespace.map { ["--namespace", $0] } ?? []
        let bytes = try run(["get", kind, name, "--ignore-not-found", "--output", "json"] + place)
        return bytes.isEmpty ? nil : try value(of: bytes, ["get", kind, name])
    }

    private func value(of bytes: [UInt8], _ arguments: [String]) throws(ExternalProgram.Failure) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(parsing: bytes, limits: Self.answerLimits)
        } catch {
            throw ExternalProgram.Failure("kubectl \(arguments.joined(separator: " ")): no JSON: \(error)")
        }
    }

    /// A list of the pods of a large node is longer than one object may be.
    static let answerLimits: JSONLimits = {
        var limits = JSONLimits()
        limits.bytes = 64 * 1_024 * 1_024
        limits.values = 5_000_000
        return limits
    }()
}
