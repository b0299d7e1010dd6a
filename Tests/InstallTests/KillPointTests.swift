import CNIProtocol
import Foundation
import LinuxKernel
import Synchronization
import TestSupport
import Testing

@testable import Agent

/// A process that is killed, or whose disk fails, at every operation in turn, and what the next one makes of it.
@Suite(.requiresKillPoints, .timeLimit(.minutes(15))) struct KillPointTests {
    /// What is on the node at first, and how our entry gets in.
    struct Situation: CustomTestStringConvertible, Sendable {
        let way: String
        let files: [String: String]

        var testDescription: String { "\(way): \(files.keys.sorted().joined(separator: ", "))" }
    }

    static let situations = [
        Situation(way: "chained", files: ["10-a.conflist": Sample.list]),
        Situation(way: "chained", files: ["10-a.conf": Sample.bridge]),
        Situation(way: "chained", files: ["10-a.conf": Sample.bridge, "10-a.conflist": Sample.list]),
        Situation(way: "chained", files: ["10-a.json": Sample.bridge]),
        Situation(way: "owned", files: ["10-a.conflist": Sample.list]),
        Situation(way: "owned", files: ["10-a.conf": Sample.bridge]),
        Situation(way: "standalone", files: ["10-a.conflist": Sample.list]),
    ]

    enum Phase: String, CaseIterable, Sendable {
        case install
        case heal
        case uninstall

        /// What the process is told.
        var command: String { self == .uninstall ? "uninstall" : "install" }
    }

    /// ENOSPC and EROFS for one operation, and from one on; EIO for one.
    static let faults = ["28", "28+", "30", "30+", "5"]

    @Test(arguments: situations)
    func `killed at every operation, the next start converges`(situation: Situation) async throws {
        for phase in Phase.allCases {
            let run = try await Run(situation, phase)
            let points = try await run.count()
            let killed = Atomic(0)
            try await Self.inParallel(1...points) { point in
                let node = try await run.prepare()
                // Status 0: it was done before; how often it looks again depends on how fast it is told to end.
                let status = try await run.start(on: node, at: point)
                #expect(status == 137 || status == 0, "\(phase) point \(point)")
                if status == 137 { killed.add(1, ordering: .relaxed) }
                try await run.expectRecovery(of: node, "\(phase) killed at \(point) of \(points)", odd: point % 2 == 1)
            }
            let count = killed.load(ordering: .relaxed)
            print("kill points of \(phase), \(situation.testDescription): \(count) of \(points)")
            #expect(count >= 12)
        }
    }

    @Test(arguments: situations)
    func `with a disk that fails at every operation, nothing is lost`(situation: Situation) async throws {
        for phase in Phase.allCases {
            for fault in Self.faults {
                let run = try await Run(situation, phase)
                let points = try await run.count(fault)
                try await Self.inParallel(1...points) { point in
                    let node = try await run.prepare()
                    let status = try await run.start(on: node, at: point, fault)
                    // The agent stays up and tries again; by hand somebody else does.
                    let recovers = phase != .uninstall && !fault.hasSuffix("+")
                    #expect(status == (recovers ? 0 : 3) || status == 0, "\(phase) \(fault) at \(point)")
                    try await run.expectRecovery(of: node, "\(phase) \(fault) at \(point)", odd: point % 2 == 1)
                }
                print("faults \(fault) of \(phase), \(situation.testDescription): \(points)")
            }
        }
    }

    @Test func `a plugin that cannot be replaced keeps its token and gets the entry, and is not ready`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])
        defer { node.cleanUp() }
        try File.replace(node.settings.binaryTarget, with: Array("older".utf8), mode: 0o755)
        try File.replace(node.settings.upstreamKubeconfig, with: Array("token".utf8), mode: 0o600)

        let outcome = try await Products.faults(
            below: node.path("bin"),
            at: 1,
            "30+",
            ["install", node.root.path(percentEncoded: false), "chained"]
        )

        let reason = String(decoding: outcome.standardError, as: UTF8.self)
        #expect(outcome.ending == .exit(3))
        #expect(reason.contains("cniBinDir"))
        #expect(try node.types("10-a.conflist")?.last == "istio-cni")
        #expect(try FileStatus.of(node.settings.upstreamKubeconfig) != nil)
        #expect(try node.plugin() == Array("older".utf8))
    }

    /// `unshare -U` gives the user a count of its own, which a limit of 0 makes useless (inotify(7)).
    @Test func `without inotify it is installed all the same`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])
        defer { node.cleanUp() }
        let command = "echo 0 > /proc/sys/user/max_inotify_instances && exec \"$@\""
        let words =
            ["-Ur", "sh", "-c", command, "sh", Products.path("InstallOnce"), "install"]
            + [node.root.path(percentEncoded: false), "chained"]

        let outcome = try await onThread {
            try ChildProcess(
                "/usr/bin/unshare",
                words,
                environment: ["PATH=/usr/bin:/bin"],
                deadlineMilliseconds: 60_000
            ).run()
        }

        let text = String(decoding: outcome.standardError, as: UTF8.self)
        #expect(outcome.ending == .exit(0), "\(text)")
        #expect(text.contains("max_user_instances"))
        #expect(try node.types("10-a.conflist")?.last == "istio-cni")
    }

    /// Two at a time: the processes do the work, and the machine may have two processors.
    private static func inParallel(
        _ points: ClosedRange<Int>,
        _ body: @escaping @Sendable (Int) async throws -> Void
    )
        async throws
    {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for point in points {
                if point > 3 { try await group.next() }
                group.addTask { try await body(point) }
            }
            try await group.waitForAll()
        }
    }
}

/// One phase in one situation.
private struct Run: Sendable {
    let situation: KillPointTests.Situation
    let phase: KillPointTests.Phase

    /// The configuration directory once all is installed.
    let reference: [String: [UInt8]]

    init(_ situation: KillPointTests.Situation, _ phase: KillPointTests.Phase) async throws {
        self.situation = situation
        self.phase = phase
        let node = try Self.makeNode(situation)
        try await node.install()
        reference = try node.contents().mapValues { bytes in Self.withoutRoot(bytes, node) }
        node.cleanUp()
    }

    private static func makeNode(_ situation: KillPointTests.Situation) throws -> NodeDirectory {
        var node = try NodeDirectory(texts: situation.files)
        node.settings.ownsConfiguration = situation.way == "owned"
        node.settings.isChained = situation.way != "standalone"
        return node
    }

    /// Each node has a name of its own, which its entry carries.
    private static func withoutRoot(_ bytes: [UInt8], _ node: NodeDirectory) -> [UInt8] {
        Array(String(decoding: bytes, as: UTF8.self).replacing(node.path("run"), with: "/run").utf8)
    }

    /// A node just before the phase.
    func prepare() async throws -> NodeDirectory {
        let node = try Self.makeNode(situation)
        guard phase != .install else {
            try File.replace(node.settings.upstreamKubeconfig, with: [1], mode: 0o600)
            try File.replace(node.settings.binaryTarget, with: Array("an older plugin".utf8), mode: 0o755)
            return node
        }
        try await node.install()
        guard phase == .heal else { return node }
        try File.remove(node.settings.binaryTarget)
        let file = try #require(reference.keys.first { name in (try? node.entryCount(name)) ?? 0 > 0 })
        if situation.way == "chained" {
            // Its owner starts anew.
            let text = try ConfigurationText(try node.bytes(file)).removingEntries()
            try node.write(text, to: file)
        } else {
            try node.remove(file)
        }
        return node
    }

    /// How many operations there are.
    func count(_ fault: String? = nil) async throws -> Int {
        let node = try await prepare()
        defer { node.cleanUp() }
        let outcome = try await launch(on: node, at: 0, fault)
        #expect(outcome.ending == .exit(0), "\(String(decoding: outcome.standardError, as: UTF8.self))")
        let text = String(decoding: outcome.standardError, as: UTF8.self)
        return try #require(text.split(separator: " ").last.flatMap { word in Int(word.prefix { $0.isNumber }) })
    }

    func start(on node: NodeDirectory, at point: Int, _ fault: String? = nil) async throws -> Int {
        let outcome = try await launch(on: node, at: point, fault)
        guard case .exit(let status) = outcome.ending else { return -1 }
        return status
    }

    private func launch(on node: NodeDirectory, at point: Int, _ fault: String?) async throws -> ChildProcess.Outcome {
        try await Products.faults(
            below: node.root.path(percentEncoded: false),
            at: point,
            fault,
            [phase.command, node.root.path(percentEncoded: false), situation.way]
        )
    }

    /// What a runtime finds now, and what the next process makes of it.
    func expectRecovery(of node: NodeDirectory, _ point: String, odd: Bool) async throws {
        defer { node.cleanUp() }
        try expectUsable(node, point)
        if phase == .uninstall && odd {
            try await node.uninstall()
        } else {
            try await node.install()
            let contents = try node.contents().mapValues { bytes in Self.withoutRoot(bytes, node) }
            #expect(contents.keys.sorted() == reference.keys.sorted(), "\(point)")
            #expect(contents == reference, "\(point)")
            #expect(try node.plugin() == NodeDirectory.plugin, "\(point)")
            #expect(try Directory.names(in: node.settings.binaryDirectory, limit: 9) == ["istio-cni"], "\(point)")
            #expect(try FileStatus.of(node.settings.upstreamKubeconfig) == nil, "\(point)")
            try await node.uninstall()
        }
        let left = try node.contents()
        #expect(left == situation.files.mapValues { text in Array(text.utf8) }, "\(point)")
    }

    /// Every file is JSON, the first is still the primary's network, and no entry lacks its plugin.
    private func expectUsable(_ node: NodeDirectory, _ point: String) throws {
        let before = ConfigurationFiles(
            situation.files.map { name, text in ConfigurationFile(name: name, bytes: Array(text.utf8), mode: 0o644) }
        )
        var files: [ConfigurationFile] = []
        for (name, bytes) in try node.contents() where ConfigurationFile.isLoadable(name) {
            _ = try JSONValue(parsing: bytes)
            files.append(ConfigurationFile(name: name, bytes: bytes, mode: 0o644))
        }
        let loaded = try #require(ConfigurationFiles(files).loaded, "\(point)")
        #expect(loaded.text?.otherTypes == before.loaded?.text?.otherTypes, "\(point)")
        #expect(loaded.text?.value["name"] == before.loaded?.text?.value["name"], "\(point)")
        if phase != .heal && loaded.holdsEntry {
            #expect(try FileStatus.of(node.settings.binaryTarget) != nil, "\(point)")
        }
    }
}

/// Programs that are built beside the tests.
private enum Products {
    /// Runs `InstallOnce` with a fault at an operation below a directory.
    static func faults(
        below directory: String,
        at point: Int,
        _ fault: String?,
        _ arguments: [String]
    ) async throws -> ChildProcess.Outcome {
        let words = [directory, "\(point)"] + (fault.map { [$0] } ?? []) + ["--", path("InstallOnce")] + arguments
        return try await onThread {
            try ChildProcess(
                path("FileFaults"),
                words,
                environment: ["PATH=/usr/bin:/bin"],
                deadlineMilliseconds: 60_000
            ).run()
        }
    }

    static func path(_ name: String) -> String {
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: name).path(percentEncoded: false)
    }
}

extension NodeDirectory {
    fileprivate func entryCount(_ name: String) throws -> Int {
        guard ConfigurationFile.isLoadable(name) else { return 0 }
        let text = try ConfigurationText(try bytes(name))
        return text.entryIndices.count + (text.isStandaloneEntry ? 1 : 0)
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the suite where the tool that kills cannot read the registers.
    fileprivate static var requiresKillPoints: Self {
        #if arch(x86_64)
        .enabled(if: true)
        #else
        .enabled(if: false, "FileFaults reads the registers of x86_64 only")
        #endif
    }
}
