import Foundation
import LinuxKernel
import RuntimeSupport
import Testing

/// A machine of its own for a container runtime: network, mounts and processes that nobody outside sees.
///
/// `Node/node` makes it, and takes away all of it, even where the test's process is killed.
struct RuntimeNode: Sendable {
    let folder: NodeFolder

    /// The node's first process, as it is seen from here.
    let firstProcess: Int

    /// The folder of everything that has a control group on this node, in each hierarchy.
    let controlGroup: String

    /// Runs `command` in a new node until `body` returns.
    static func whileRunning(
        _ folder: NodeFolder,
        _ command: [String],
        _ body: (RuntimeNode) async throws -> Void
    ) async throws {
        let group = URL(filePath: folder.path).lastPathComponent
        // A session of its own, else what kills the test with its process group kills what cleans up after it.
        let node = try await RunningProgram(
            "/usr/bin/setsid",
            [source("node"), folder.path, group] + command,
            log: folder.log("node"),
            endsItself: true
        )
        let result: Result<Void, any Error>
        do {
            let file = "\(folder.path)/first-process"
            try await waitUntil("the node is there; it said: \(node.lastWords)") {
                guard node.isRunning else { throw TestFailure("the node ended at once: \(node.lastWords)") }
                return FileManager.default.fileExists(atPath: file)
            }
            let text = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
            guard let first = Int(text) else { throw TestFailure("the node's first process is \(text)") }
            try await body(RuntimeNode(folder: folder, firstProcess: first, controlGroup: "/\(group)"))
            result = .success(())
        } catch {
            result = .failure(TestFailure("\(error)\nThe node said: \(node.lastWords)"))
        }
        node.send(SIGTERM)
        _ = try await node.ending()
        #expect(!FileManager.default.fileExists(atPath: folder.path), "the node left its folder behind")
        try result.get()
    }

    /// A file beside this one, in `Node/`.
    static func source(_ name: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Node/\(name)").path(percentEncoded: false)
    }

    /// A path by which the node's `path` is seen from here.
    func path(_ path: String) -> String {
        // /var/run is a link to /run, which would be followed to the /run of here (path_resolution(7)).
        let path = path.hasPrefix("/var/run/") ? String(path.dropFirst("/var".count)) : path
        return "/proc/\(firstProcess)/root\(path)"
    }

    /// A path of the node's network namespace.
    var network: String { "/proc/\(firstProcess)/ns/net" }

    /// Runs a program on the node, and returns what it printed.
    func run(_ words: [String], environment: [String] = []) async throws -> String {
        try await Self.run(
            ["nsenter", "--target", "\(firstProcess)", "--net", "--mount", "--pid", "--"] + words,
            environment: environment
        )
    }

    /// Runs a program here, found in the usual folders.
    static func run(_ words: [String], environment: [String] = [], input: String = "") async throws -> String {
        let program = ChildProcess(
            "/usr/bin/env",
            words,
            environment: [RunningProgram.searchPath] + environment,
            standardInput: Array(input.utf8),
            deadlineMilliseconds: 120_000
        )
        let outcome = try await onThread { try program.run() }
        let problem = String(decoding: outcome.standardError, as: UTF8.self)
        guard outcome.isSuccess else { throw CommandFailure(command: words.joined(separator: " "), message: problem) }
        return String(decoding: outcome.standardOutput, as: UTF8.self)
    }

    /// A folder with one static program, `pause`, to run containers from.
    func makeRoot() async throws -> String {
        let root = "\(folder.path)/root"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        _ = try await Self.run(["gcc", "-static", "-Os", "-s", "-o", "\(root)/pause", Self.source("pause.c")])
        return root
    }

    /// Starts the agent in the node's network, and waits until it is ready.
    func startAgent(
        waitSeconds: Int,
        _ arguments: [String] = [],
        environment: [String] = []
    ) async throws -> RunningProgram {
        let network = try NetworkNamespace(at: network)
        return try await folder.startAgent(
            waitSeconds: waitSeconds,
            arguments,
            environment: environment,
            network: network.rawDescriptor
        )
    }

    /// Where the connections of a sandbox end.
    func traffic(ofNamespace namespace: String, address: String) async throws -> PodTraffic {
        let bytes = address.split(separator: ".").compactMap { UInt8($0) }
        guard bytes.count == 4 else { throw TestFailure("a sandbox with the address \(address)") }
        return try await PodTraffic.probe(pod: path(namespace), host: network, address: bytes)
    }
}

/// A program that ended badly.
struct CommandFailure: Error, CustomStringConvertible {
    let command: String
    let message: String

    var description: String { "\(command): \(message)" }
}

extension Trait where Self == ConditionTrait {
    /// Skips the test where a program is not there.
    ///
    /// Under `CI` it runs all the same, and fails.
    static func requiresPrograms(_ names: String...) -> Self {
        let folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"]
        let missing = names.filter { name in !folders.contains { ExecutableFile.isPresent("\($0)/\(name)") } }
        return .enabled(
            if: ProcessInfo.processInfo.environment["CI"] != nil || (missing.isEmpty && geteuid() == 0),
            "needs root and \(names.joined(separator: ", ")), which scripts/install-dependencies test installs"
        )
    }
}
