internal import AgentProtocol
internal import CNIProtocol
internal import LinuxKernel

/// One call of the plugin, from the runtime's variables to the answer on standard output.
@main
enum Program {
    static func main() {
        let start = Clock.monotonicMicroseconds()
        let answer = Answer.run(startedAt: start)
        var status: Int32
        let bytes: [UInt8]
        switch answer.result {
        case .success(let result):
            status = 0
            bytes = result
        case .failure(let error):
            status = 1
            bytes = error.bytes(version: answer.version)
        }
        // From here on there is an answer, and a second one would spoil it.
        try? OwnProcess.answerCrashes(with: [])
        if !bytes.isEmpty, !write(bytes) { status = 1 }
        // The runtime has what it needs: what goes wrong in the report must not take it back.
        try? OwnProcess.answerCrashes(with: [], status: status)
        OwnProcess.closeStandardOutput()
        answer.finish()
        OwnProcess.exit(status)
    }

    /// Whether `bytes` could be written to standard output.
    private static func write(_ bytes: [UInt8]) -> Bool {
        do throws(KernelError) {
            try OwnProcess.writeStandardOutput(bytes)
            return true
        } catch {
            // The runtime has closed its end; it reads the status.
            return false
        }
    }
}

/// What a call comes to.
struct Answer {
    /// What goes to standard output.
    let result: Result<[UInt8], CNIError>

    /// The version of the configuration, as far as it is known.
    var version: CNIVersion?

    /// What is left to do once the runtime has its answer.
    var finish: () -> Void = {}

    /// The variables of the specification.
    private static let variables = [
        "CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH", "CNI_NETNS_OVERRIDE",
    ]

    /// An entry and its prevResult are some KB; annotations of a pod may be 256 KiB.
    private static let longestInputBytes = 4 * 1_024 * 1_024

    /// A runtime writes at once.
    private static let inputMilliseconds = 10_000

    static func run(startedAt start: Int) -> Answer {
        do throws(CNIError) {
            try prepare()
            let request = try CNIRequest(environment: OwnProcess.environment(variables))
            return try answer(request, startedAt: start)
        } catch {
            return Answer(result: .failure(error))
        }
    }

    /// Whatever happens from here on, the runtime gets an answer.
    private static func prepare() throws(CNIError) {
        let crashed = CNIError(
            .crashed,
            "istio-cni crashed; the pod is not started past the mesh, and the kubelet tries again",
            details: "this is a defect of the plugin: please report it with the pod's annotations"
        )
        do throws(KernelError) {
            try OwnProcess.answerCrashes(with: crashed.bytes())
            try OwnProcess.ignoreBrokenPipes()
        } catch {
            throw CNIError(.internalError, "the plugin cannot start", details: error.description)
        }
    }

    private static func answer(_ request: CNIRequest, startedAt start: Int) throws(CNIError) -> Answer {
        switch request {
        case .version: return Answer(result: .success(VersionReport.bytes))
        case .about:
            let versions = CNIVersion.list
            let text = "CNI plugin istio-cni \(ProductVersion.text)\nCNI protocol versions supported: \(versions)\n"
            // Nobody listens if this fails.
            try? OwnProcess.writeStandardError(Array(text.utf8))
            return Answer(result: .success([]))
        case .delete, .collectGarbage:
            // Rules end with the namespace, and a pod must be able to end whatever is wrong: there is nothing to read.
            return Answer(result: .success([]))
        case .status:
            // Not even the agent counts: a failing STATUS makes the node NotReady, and then the agent cannot start.
            try request.requireCommand(of: readConfiguration().version)
            return Answer(result: .success([]))
        case .check(let attachment, in: let reference, let arguments):
            let configuration = try readConfiguration()
            try request.requireCommand(of: configuration.version)
            return check(attachment, reference, arguments, configuration)
        case .add(let attachment, in: let reference, let arguments):
            let configuration = try readConfiguration()
            return add(attachment, reference, arguments, configuration, startedAt: start)
        }
    }

    private static func check(
        _ attachment: CNIAttachment,
        _ reference: NamespaceReference,
        _ arguments: String,
        _ configuration: CNIConfiguration
    ) -> Answer {
        do throws(CNIError) {
            let sandbox = try Sandbox(attachment, reference, arguments)
            try CheckCall(sandbox: sandbox, configuration: configuration).run()
            return Answer(result: .success([]), version: configuration.version)
        } catch {
            return Answer(result: .failure(error), version: configuration.version)
        }
    }

    private static func add(
        _ attachment: CNIAttachment,
        _ reference: NamespaceReference,
        _ arguments: String,
        _ configuration: CNIConfiguration,
        startedAt start: Int
    ) -> Answer {
        do throws(CNIError) {
            let sandbox = try Sandbox(attachment, reference, arguments)
            let result = try CNIResult(of: configuration)
            var call = AddCall(sandbox, configuration, startedAt: start)
            let outcome: AddReport.Outcome
            let answer: Result<[UInt8], CNIError>
            do throws(CNIError) {
                outcome = try call.run(result)
                answer = .success(result.bytes)
            } catch {
                outcome = call.failed(error)
                answer = .failure(error)
            }
            let ended = call
            return Answer(result: answer, version: configuration.version) { ended.report(outcome) }
        } catch {
            return Answer(result: .failure(error), version: configuration.version)
        }
    }

    private static func readConfiguration() throws(CNIError) -> CNIConfiguration {
        let bytes: [UInt8]
        do throws(KernelError) {
            bytes = try OwnProcess.readStandardInput(
                byteLimit: longestInputBytes,
                deadlineMilliseconds: inputMilliseconds
            )
        } catch {
            throw CNIError(.inputOutputFailure, "standard input cannot be read", details: error.description)
        }
        return try CNIConfiguration(bytes)
    }
}
