import Agent
import Foundation
import LinuxKernel
import Redirect
import TestSupport
import Testing

@Suite(.requiresNetworkNamespaces, .timeLimit(.minutes(2))) struct SandboxFinderTests {
    /// Looks for the first pod among all, on a thread that may block.
    private func find(_ finder: SandboxFinder, _ pods: NodePod...) async throws -> SandboxFinding? {
        try await onThread { try finder.find(SandboxQuery([pods[0]], among: pods))[pods[0].pod.uid] }
    }

    @Test func `a pod is found by its UID and its address, in its own namespace`() async throws {
        let staged = try await StagedPod()
        let shown = try ShownProcesses()
        defer { shown.remove() }
        try shown.show(staged)

        let finding = try await find(shown.finder, staged.pod())

        guard case .found(let sandbox) = finding else {
            Issue.record("\(finding?.summary ?? "nothing")")
            return
        }
        let found = try sandbox.namespace.identity()
        let expected = try staged.namespace.identity()
        #expect(found == expected)
    }

    @Test(.requiresSeveralUsers) func `a pod whose process belongs to another user is found`() async throws {
        let staged = try await StagedPod(user: 1_337)
        let shown = try ShownProcesses()
        defer { shown.remove() }
        try shown.show(staged)
        let statusPath = "/proc/\(staged.process.identifier)/status"
        try await eventually("the process has changed its user") {
            try String(contentsOfFile: statusPath, encoding: .utf8).contains("Uid:\t1337\t1337")
        }

        let finding = try await find(shown.finder, staged.pod())

        #expect(finding?.summary == "found \(staged.process.identifier)")
    }

    @Test func `several pods are found in one pass`() async throws {
        let first = try await StagedPod()
        let second = try await StagedPod()
        let shown = try ShownProcesses()
        defer { shown.remove() }
        try shown.show(first)
        try shown.show(second)
        let pods = [first.pod(name: "a"), second.pod(name: "b")]

        let finder = shown.finder
        let findings = try await onThread { try finder.find(SandboxQuery(pods, among: pods)) }

        #expect(findings[first.uid]?.summary == "found \(first.process.identifier)")
        #expect(findings[second.uid]?.summary == "found \(second.process.identifier)")
    }

    @Test func `the right address with another pod's UID is left alone and named`() async throws {
        let staged = try await StagedPod()
        let shown = try ShownProcesses()
        defer { shown.remove() }
        try shown.show(staged)
        var wanted = staged.pod()
        wanted.pod.uid = StagedPod.newUID()

        let finding = try await find(shown.finder, wanted)

        #expect(finding?.summary == "elsewhere \(staged.process.identifier) \(staged.uid)")
    }

    @Test func `the right UID with another address is left alone and named`() async throws {
        let staged = try await StagedPod()
        let shown = try ShownProcesses()
        defer { shown.remove() }
        try shown.show(staged)
        var wanted = staged.pod()
        wanted.addresses = ["10.78.0.1", "fd78::1"]

        let finding = try await find(shown.finder, wanted)

        #expect(finding?.summary == "other address \(staged.process.identifier)")
    }

    @Test func `of two namespaces with UID and address the one of the oldest process is taken`() async throws {
        let first = try await StagedPod()
        // Processes that start within one clock tick of 10 ms are equally old.
        try await Task.sleep(for: .milliseconds(30))
        let second = try await StagedPod(uid: first.uid, address: first.address)
        let shown = try ShownProcesses()
        defer { shown.remove() }
        try shown.show(second)
        try shown.show(first)

        let finding = try await find(shown.finder, first.pod())

        #expect(finding?.summary == "found \(first.process.identifier)")
    }

    @Test func `a namespace that a pod on the host's network is in is never another pod's`() async throws {
        let staged = try await StagedPod()
        let other = StagedPod.newUID()
        var program = BackgroundProgram("/bin/sleep", ["600"])
        program.endsWithParent = false
        let hostProcess = try program.start(network: staged.namespace.rawDescriptor)
        defer { hostProcess.end(milliseconds: 0) }
        let shown = try ShownProcesses()
        defer { shown.remove() }
        try shown.show(staged)
        try shown.show(hostProcess.identifier, of: other)
        var onHost = staged.pod(name: "proxy")
        onHost.pod.uid = other
        onHost.isOnHostNetwork = true

        let finding = try await find(shown.finder, staged.pod(), onHost)

        #expect(finding?.summary == "not found")
    }

    @Test func `the agent's own namespace is never a pod's, whatever control group and address say`() async throws {
        let staged = try await StagedPod()
        let shown = try ShownProcesses()
        defer { shown.remove() }
        try shown.show(staged)
        let pod = staged.pod()
        let finder = shown.finder

        // Looked for by an agent that is in that namespace itself.
        let own = try NetworkNamespace(at: "/proc/self/fd/\(staged.namespace.rawDescriptor)")
        let summary = try await onThread {
            try own.run { () throws(KernelError) in
                try finder.find(SandboxQuery([pod], among: [pod]))[pod.pod.uid]?.summary
            }
        }

        #expect(summary == "not found")
    }

    @Test func `a namespace without a process is found by its mount and its address`() async throws {
        let staged = try await StagedPod()
        let shown = try ShownProcesses()
        defer { shown.remove() }
        // What a runtime mounts; a link to the open namespace does the same.
        try FileManager.default.createSymbolicLink(
            atPath: shown.path("netns/cni-1"),
            withDestinationPath: "/proc/\(getpid())/fd/\(staged.namespace.rawDescriptor)"
        )

        let finding = try await find(shown.finder, staged.pod())

        #expect(finding?.summary == "found mount")
    }

    @Test func `a mount where another pod's process lives is that pod's`() async throws {
        let staged = try await StagedPod()
        let shown = try ShownProcesses()
        defer { shown.remove() }
        try shown.show(staged)
        try FileManager.default.createSymbolicLink(
            atPath: shown.path("netns/cni-1"),
            withDestinationPath: "/proc/\(getpid())/fd/\(staged.namespace.rawDescriptor)"
        )
        var wanted = staged.pod()
        wanted.pod.uid = StagedPod.newUID()

        let finding = try await find(shown.finder, wanted)

        #expect(finding?.summary == "elsewhere \(staged.process.identifier) \(staged.uid)")
    }

    @Test func `a process that has ended is passed over`() async throws {
        let staged = try await StagedPod()
        let shown = try ShownProcesses()
        defer { shown.remove() }
        try shown.show(staged)
        staged.process.end(milliseconds: 1_000)

        let finding = try await find(shown.finder, staged.pod())

        #expect(finding?.summary == "not found")
    }

    @Test func `a static pod is found by the hash in its annotation`() async throws {
        let staged = try await StagedPod()
        let hash = staged.uid.replacing("-", with: "")
        let shown = try ShownProcesses()
        defer { shown.remove() }
        try shown.show(staged.process.identifier, controlGroups: "0::/kubepods/burstable/pod\(hash)/x\n")
        var mirror = staged.pod(annotations: ["kubernetes.io/config.hash": hash])
        mirror.pod.uid = StagedPod.newUID()

        let finding = try await find(shown.finder, mirror)

        #expect(finding?.summary == "found \(staged.process.identifier)")
    }

    @Test func `a pod cannot take a process for another by a group with that pod's name`() async throws {
        let attacker = try await StagedPod()
        let victim = StagedPod.newUID()
        let shown = try ShownProcesses()
        defer { shown.remove() }
        let groups = "0::/kubepods/pod\(attacker.uid)/x/kubepods/pod\(victim)/y\n"
        try shown.show(attacker.process.identifier, controlGroups: groups)
        var wanted = attacker.pod(name: "victim")
        wanted.pod.uid = victim

        let finding = try await find(shown.finder, wanted, attacker.pod())

        #expect(finding?.summary == "elsewhere \(attacker.process.identifier) \(attacker.uid)")
    }

    @Test func `without a list of processes nothing can be looked for`() async throws {
        let finder = SandboxFinder(processDirectory: "/does/not/exist", namespaceDirectory: "/does/not/exist")

        #expect(!finder.canLook)
        await #expect(throws: KernelError.self) {
            try await onThread { try finder.find(SandboxQuery([], among: [])) }
        }
    }
}

/// Real control groups, and the machine's own `/proc`.
@Suite(.requiresControlGroups, .timeLimit(.minutes(2))) struct ControlGroupTests {
    /// Of v1 one is enough; a machine with v2 alone has it at the top.
    static let hierarchies = ["pids", "unified", "."].filter { name in
        FileManager.default.isWritableFile(atPath: "/sys/fs/cgroup/\(name)/cgroup.procs")
    }

    @Test(arguments: hierarchies)
    func `a process in a pod's control group is found`(hierarchy: String) async throws {
        let staged = try await StagedPod()
        let top = "/sys/fs/cgroup/\(hierarchy)/kubepods-test-\(UInt32.random(in: .min ... .max))"
        let group = "\(top)/pod\(staged.uid)"
        try FileManager.default.createDirectory(atPath: group, withIntermediateDirectories: true)
        try Data("\(staged.process.identifier)".utf8).write(to: URL(filePath: "\(group)/cgroup.procs"))
        let pod = staged.pod()

        let finder = SandboxFinder(processDirectory: "/proc", namespaceDirectory: "/does/not/exist")
        let finding = try await onThread { try finder.find(SandboxQuery([pod], among: [pod]))[pod.pod.uid] }

        #expect(finding?.summary == "found \(staged.process.identifier)")
        staged.process.end(milliseconds: 1_000)
        for path in [group, top] { rmdir(path) }
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips the suite where control groups cannot be made, as by an ordinary user.
    static var requiresControlGroups: Self {
        .enabled(if: !ControlGroupTests.hierarchies.isEmpty, "making a control group takes the real root")
    }
}
