import CNIProtocol
import LinuxKernel
import RuntimeSupport
import Testing

/// `install-cni doctor` beside a real containerd.
@Suite(.requiresPrograms("containerd", "ctr", "runc", "gcc"), .requiresGRPC, .timeLimit(.minutes(5)))
struct RuntimeDirectoriesTests {
    @Test func `doctor finds the directories that containerd uses, in its own file`() async throws {
        let folder = try NodeFolder()
        try folder.writePrimary()
        try await Containerd.whileRunning(folder) { _ in
            let found = try await findings(folder, configuration: folder.configuration)
            let elsewhere = try await findings(folder, configuration: folder.plugins)

            #expect(found["runtime-agrees"]?.contains("\(folder.path)/containerd.toml") == true)
            #expect(found["configuration-directory-differs"] == nil)
            #expect(elsewhere["configuration-directory-differs"]?.contains(folder.configuration) == true)
        }
    }

    /// What it says of the containerd of this node, by id; others may run on this machine, and their findings name
    /// this agent's directories as well.
    private func findings(_ folder: NodeFolder, configuration: String) async throws -> [String: String] {
        let program = ChildProcess(
            "\(folder.programs)/install-cni",
            [
                "doctor", "--json", "--pod-source=directory:\(folder.pods)", "--mounted-proc-dir=/proc",
                "--cni-agent-run-dir=\(folder.runDirectory)", "--mounted-cni-net-dir=\(configuration)",
                "--mounted-cni-bin-dir=\(folder.plugins)",
            ],
            environment: [RunningProgram.searchPath],
            deadlineMilliseconds: 60_000
        )
        let outcome = try await onThread { try program.run() }
        let report = try JSONValue(parsing: outcome.standardOutput)
        var found: [String: String] = [:]
        for finding in report["findings"]?.array ?? [] {
            guard let id = finding["id"]?.string, let text = finding["text"]?.string else { continue }
            if text.contains("\(folder.path)/containerd.toml") { found[id] = text }
        }
        return found
    }
}
