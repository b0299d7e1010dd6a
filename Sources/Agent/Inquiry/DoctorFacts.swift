internal import CNIProtocol
internal import Enforcement
internal import LinuxKernel

/// What can be seen of a node from inside the agent's container.
struct DoctorFacts: Equatable, Sendable {
    /// Settings that cannot be followed.
    var settingProblems: [String] = []

    /// `CapEff` of `proc_pid_status(5)`.
    var capabilities: UInt64 = 0

    /// What nf_tables of this kernel lacks.
    var missingFromNFTables: String?

    /// The file that a runtime loads; nil where it would load none.
    var loadedFile: String?

    /// The files that hold an entry of ours.
    var filesWithEntry: [String] = []

    /// Why the directory of configurations cannot be read.
    var configurationProblem: String?
    var hasPlugin = false
    var hasProcesses = false
    var agent = Agent.away("")

    enum Agent: Equatable, Sendable {
        case away(String)
        case answers(reasons: [String], passesAnnotations: Bool?)
    }

    /// What the facts are about.
    var configurationDirectory = ""
    var programDirectory = ""
    var processDirectory = ""
    var repairs = false
    var installs = true
}

extension DoctorFacts {
    /// Looks at the node; nothing is changed, and the kernel is asked in a namespace made for that.
    ///
    /// - Parameters:
    ///   - configuration: The agent's.
    ///   - settingProblems: Of the settings that could not be followed.
    init(_ configuration: AgentConfiguration, settingProblems: [String]) {
        self.settingProblems = settingProblems
        let install = InstallSettings(configuration)
        configurationDirectory = install.configurationDirectory
        programDirectory = install.binaryDirectory
        processDirectory = configuration.repair.processDirectory
        repairs = configuration.repair.mode == .repair
        installs = !configuration.install.isSkipped
        capabilities = Self.effectiveCapabilities
        missingFromNFTables = Capability.missingFromNFTables()
        hasPlugin = Self.exists(install.binaryTarget)
        hasProcesses = Self.exists("\(processDirectory)/self")
        do throws(InstallError) {
            let files = try NodeFiles(install).configurationFiles()
            loadedFile = files.loaded?.name
            filesWithEntry = files.files.filter { file in file.holdsEntry }.map { file in file.name }
        } catch {
            configurationProblem = error.description
        }
        agent = Agent(asking: AgentClient(runDirectory: configuration.node.runDirectory))
    }

    private static func exists(_ path: String) -> Bool {
        do throws(KernelError) {
            return try FileStatus.of(path) != nil
        } catch {
            // What cannot be looked at is as good as absent to the agent.
            return false
        }
    }

    private static var effectiveCapabilities: UInt64 {
        do throws(KernelError) {
            let bytes = try File.read("/proc/self/status", byteLimit: 64 * 1_024)
            return capabilities(in: String(decoding: bytes, as: UTF8.self))
        } catch {
            return 0
        }
    }

    static func capabilities(in status: String) -> UInt64 {
        let line = status.split(separator: "\n").first { line in line.hasPrefix("CapEff:") }
        return line?.split { character in character.isWhitespace }.last.flatMap { word in UInt64(word, radix: 16) } ?? 0
    }
}

extension DoctorFacts.Agent {
    init(asking client: AgentClient) {
        do throws(AgentClient.Failure) {
            let status = try client.get("/v1/status")
            self = .answers(
                reasons: status["reasons"]?.strings ?? [],
                passesAnnotations: status["runtimePassesAnnotations"]?.bool
            )
        } catch {
            self = .away(error.description)
        }
    }
}
