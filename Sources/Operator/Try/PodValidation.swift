internal import LinuxKernel
internal import Redirect

/// The pod's init container `istio-validation`: proves, without any right, that redirection is active.
struct PodValidation {
    let program: String

    /// The proxy's user; nil where this process has no other user than that.
    let owner: ProcessOwner?
    let plan: RedirectPlan

    /// Runs it in the pod's namespace.
    func run(network: CInt) -> TryReport.Validation {
        guard ExecutableFile.isPresent(program) else {
            return TryReport.Validation(isPassed: false, result: "not available: there is no \(program)")
        }
        var validation = BackgroundProgram(program, arguments, environment: [SystemPrograms.searchPath])
        validation.owner = owner
        do throws(KernelError) {
            let output = try MemoryFile()
            let process = try validation.start(network: network, error: output)
            let ending = try process.wait(milliseconds: Self.deadlineMilliseconds)
            if ending == nil { process.end(milliseconds: 0) }
            let text = String(decoding: try output.contents(byteLimit: Self.outputBytes), as: UTF8.self)
            let lastLine = text.split(separator: "\n").last.map(String.init) ?? ""
            switch ending {
            case .exit(0): return TryReport.Validation(isPassed: true, result: "exit 0: redirection is active")
            case .exit(let status):
                return TryReport.Validation(isPassed: false, result: "exit \(status): \(lastLine)")
            case .signal(let number): return TryReport.Validation(isPassed: false, result: "ended by signal \(number)")
            case .deadline, nil: return TryReport.Validation(isPassed: false, result: "no result in time: \(lastLine)")
            }
        } catch {
            return TryReport.Validation(isPassed: false, result: "not available: \(error.description)")
        }
    }

    private var arguments: [String] {
        var arguments = [
            "-p", "\(plan.ports.outbound)", "-z", "\(plan.ports.inbound)", "-u", "\(plan.proxyUsers.first ?? 0)",
            "-m", plan.interceptionMode.rawValue, "-i", "*", "-b", "*",
        ]
        if plan.redirectsIPv6 { arguments.append("--dual-stack") }
        return arguments + ["--run-validation", "--skip-rule-apply"]
    }

    /// Validation itself gives up after 5 s for each family.
    private static let deadlineMilliseconds = 15_000
    private static let outputBytes = 4 * 1_024 * 1_024
}
