import Foundation

/// Replays recorded ADDs with the built plugin and agent, the iptables back-end forced.
///
/// Usage: `ReplayRedirects FILE.jsonl PLUGIN AGENT`. Prints what differs, and as its last line `N passed, N failed`.
@main
struct ReplayRedirects {
    static func main() async {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.count == 3 else { stop("usage: ReplayRedirects FILE.jsonl PLUGIN AGENT") }
        let (file, plugin, agent) = (arguments[1], arguments[2], arguments[3])
        do {
            let failed = try await replay(file, plugin: plugin, agent: agent)
            exit(failed == 0 ? 0 : 1)
        } catch {
            stop("replay-redirects: \(error)")
        }
    }

    private static func replay(_ file: String, plugin: String, agent path: String) async throws -> Int {
        let cases = try Recording.all(in: file).map { try ReplayCase($0) }
        let agent = try ReplayAgent(path, pods: cases.flatMap { $0.pods })
        defer { agent.stop() }
        try await agent.waitUntilItServes()

        let call = ReplayedCall(plugin: plugin, runDirectory: agent.runDirectory)
        let results = await withTaskGroup(of: (Int, ReplayCase.Result).self) { group in
            for (index, replayed) in cases.enumerated() {
                group.addTask { (index, replayed.run(call)) }
            }
            return await group.reduce(into: [Int: ReplayCase.Result]()) { $0[$1.0] = $1.1 }
        }
        return report(cases, results)
    }

    private static func report(_ cases: [ReplayCase], _ results: [Int: ReplayCase.Result]) -> Int {
        var intended: [String: Int] = [:]
        var failed = 0
        for (index, replayed) in cases.enumerated() {
            let differences = results[index]?.differences ?? ["not run"]
            if let reason = replayed.intended?.reason { intended[reason, default: 0] += 1 }
            guard !differences.isEmpty else { continue }
            failed += 1
            for difference in differences { print("\(replayed.recording.id): \(difference)") }
        }
        for (reason, count) in intended.sorted(by: { $0.key < $1.key }) {
            print("differs as intended in \(count): \(reason)")
        }
        print("\(cases.count - failed) passed, \(failed) failed")
        return failed
    }

    private static func stop(_ message: String) -> Never {
        FileHandle.standardError.write(Data("\(message)\n".utf8))
        exit(2)
    }
}

/// One recording, and the row of intended differences that applies to it.
struct ReplayCase: Sendable {
    let recording: Recording
    let intended: (reason: String, outcome: IntendedDifference.Outcome)?

    /// The pod that this one is to end like, if there is such a row.
    private let model: PodDocument?

    struct Result: Sendable {
        var differences: [String]
    }

    init(_ recording: Recording) throws {
        self.recording = recording
        var intended: (String, IntendedDifference.Outcome)?
        if recording.expected.exit != 0 {
            for row in IntendedDifference.all where intended == nil {
                intended = row.outcome(recording.pod.annotations).map { (row.reason, $0) }
            }
        }
        self.intended = intended
        guard case .asWith(let annotations) = intended?.1 else {
            model = nil
            return
        }
        model = try recording.pod.with(name: recording.pod.name + "-model", annotations: annotations)
    }

    /// What the agent must know.
    var pods: [PodDocument] { [recording.pod] + [model].compactMap { $0 } }

    /// Two ADDs, each in a namespace of its own: one by a runtime that hands annotations over, one by another.
    func run(_ call: ReplayedCall) -> Result {
        do {
            let differences = try [true, false].flatMap { hasAnnotations in
                try self.differences(call, hasAnnotations).map { difference in
                    hasAnnotations ? difference : "without annotations from the runtime: \(difference)"
                }
            }
            return Result(differences: differences)
        } catch {
            return Result(differences: ["\(error)"])
        }
    }

    private func differences(_ call: ReplayedCall, _ hasAnnotations: Bool) throws -> [String] {
        let state = try call.add(recording.pod, recording.addresses, hasAnnotations: hasAnnotations)
        var expected = recording.expected
        switch intended?.outcome {
        case .leftAlone: expected = .untouched
        case .asWith:
            guard let model else { break }
            expected = try call.add(model, recording.addresses, hasAnnotations: hasAnnotations)
        case .refused(let names):
            expected = .untouched
            expected.exit = 1
            expected.errorCode = IntendedDifference.badAnnotationCode
            guard names.contains(where: { state.errorMessage.contains($0) }) else {
                return ["the error names none of \(names): \(state.errorMessage)"]
            }
        case nil: break
        }
        return state.differences(from: expected)
    }
}

/// The agent, over a directory of pods.
struct ReplayAgent {
    let runDirectory: String
    private let directory: URL
    private let process = Process()

    init(_ path: String, pods: [PodDocument]) throws {
        let files = FileManager.default
        directory = files.temporaryDirectory.appending(path: "replay-\(UUID().uuidString.prefix(8))")
        let podDirectory = directory.appending(path: "pods")
        runDirectory = directory.appending(path: "run").path(percentEncoded: false)
        for path in [podDirectory, directory.appending(path: "run")] {
            try files.createDirectory(at: path, withIntermediateDirectories: true)
        }
        for pod in pods {
            try pod.json.write(to: podDirectory.appending(path: "\(pod.namespace)-\(pod.name).json"))
        }
        let log = directory.appending(path: "agent.log")
        guard files.createFile(atPath: log.path(percentEncoded: false), contents: nil) else {
            throw ReplayError("cannot write \(log.path(percentEncoded: false))")
        }
        process.executableURL = URL(filePath: path)
        process.arguments = [
            "--pod-source=directory:\(podDirectory.path(percentEncoded: false))",
            "--cni-agent-run-dir=\(runDirectory)", "--skip-install",
        ]
        process.environment = ["REDIRECT_BACKEND": "iptables"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = try FileHandle(forWritingTo: log)
        try process.run()
    }

    func waitUntilItServes() async throws {
        let socket = runDirectory + "/pluginevent.sock"
        for _ in 1...200 {
            if FileManager.default.fileExists(atPath: socket) { return }
            guard process.isRunning else { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        let log = try String(contentsOf: directory.appending(path: "agent.log"), encoding: .utf8)
        throw ReplayError("the agent does not serve:\n\(log)")
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
        // Under /tmp: what stays there after a failure is swept with it.
        try? FileManager.default.removeItem(at: directory)
    }
}
