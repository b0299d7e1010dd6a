import CNIProtocol
import Foundation
import LinuxKernel
import RuntimeSupport
import Testing

/// What a runtime meets where an agent was killed while it put its plugin on the node, or took it off.
///
/// All plugins of the chain are real, Debian's and ours. What is in the files then, `InstallTests.KillPointTests` says.
@Suite(.timeLimit(.minutes(10))) struct KilledInstallTests {
    #if arch(x86_64)
    @Test(arguments: ["install", "uninstall"])
    func `killed at every operation, the chain starts and ends a pod all the same`(phase: String) async throws {
        let host = try PodNamespace(RuntimePod("host", isInMesh: false))
        var kills = 0
        for point in 1...Self.mostPoints {
            let node = try KilledNode(phase)
            defer { node.remove() }
            if phase == "uninstall" { try await node.run("install") }

            guard try await node.kill(phase, at: point) else { break }
            kills += 1
            try await node.startPod("\(phase) killed at \(point)", host)

            try await node.run("install")
            #expect(try node.chain(host).plugins.last?["type"]?.string == "istio-cni")
            try await node.run("uninstall")
            #expect(try node.isAsBefore(), "\(phase) killed at \(point)")
        }
        print("\(kills) kills of \(phase), and a pod after each")
        #expect(kills >= 12)
        #expect(kills < Self.mostPoints)
    }
    #endif

    /// More than there are.
    private static let mostPoints = 200
}

/// A node that `InstallOnce` installs on.
private struct KilledNode {
    let folder: NodeFolder
    private let primary: Data

    private var root: String { folder.path }

    init(_ phase: String) throws {
        folder = try NodeFolder()
        try folder.makeImage()
        try folder.writePrimary()
        primary = try Data(contentsOf: URL(filePath: folder.primary))
        // `InstallOnce` has the folders side by side.
        for (name, path) in [("net.d", folder.configuration), ("bin", folder.plugins)] {
            try FileManager.default.moveItem(atPath: path, toPath: "\(root)/\(name)")
        }
    }

    func remove() { folder.remove() }

    /// - Returns: Whether there was an operation at that point.
    func kill(_ phase: String, at point: Int) async throws -> Bool {
        let words = [root, "\(point)", "--", "\(folder.programs)/InstallOnce", phase, root, "chained"]
        let ending = try await end(of: "FileFaults", words)
        guard ending == .exit(0) || ending == .exit(137) else { throw TestFailure("\(phase) at \(point): \(ending)") }
        return ending == .exit(137)
    }

    func run(_ phase: String) async throws {
        let ending = try await end(of: "InstallOnce", [phase, root, "chained"])
        guard ending == .exit(0) else { throw TestFailure("\(phase): \(ending)") }
    }

    private func end(of program: String, _ words: [String]) async throws -> ChildProcess.Ending {
        let child = ChildProcess(
            "\(folder.programs)/\(program)",
            words,
            environment: [RunningProgram.searchPath],
            deadlineMilliseconds: 60_000
        )
        return try await onThread { try child.run().ending }
    }

    /// As libcni finds it: the first file that a runtime loads.
    func chain(_ host: PodNamespace) throws -> CNIChain {
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(root)/net.d").sorted()
        guard let name = names.first(where: { name in name.hasSuffix(".conflist") }) else {
            throw TestFailure("no network in \(names)")
        }
        let bytes = try Array(Data(contentsOf: URL(filePath: "\(root)/net.d/\(name)")))
        return try CNIChain(
            JSONValue(parsing: bytes),
            folders: ["\(root)/bin"],
            cache: "\(root)/results",
            host: host.path
        )
    }

    /// A pod outside of Kubernetes, so that nobody waits for an agent: what counts is that every plugin is run.
    func startPod(_ what: String, _ host: PodNamespace) async throws {
        let pod = try PodNamespace(RuntimePod("pod", isInMesh: false))
        let attachment = CNIAttachment(containerID: UUID().uuidString, namespacePath: pod.path)
        let chain = try chain(host)
        let result = try await chain.add(attachment)
        #expect(result["ips"]?.array?.count == 1, "\(what)")
        try await chain.delete(attachment)
    }

    func isAsBefore() throws -> Bool {
        try Data(contentsOf: URL(filePath: "\(root)/net.d/10-pods.conflist")) == primary
            && FileManager.default.contentsOfDirectory(atPath: "\(root)/net.d") == ["10-pods.conflist"]
    }
}
