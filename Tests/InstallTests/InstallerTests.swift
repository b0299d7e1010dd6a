import CNIProtocol
import Foundation
import LinuxKernel
import Synchronization
import TestSupport
import Testing

@testable import Agent

/// The installer while other programs write.
@Suite(.timeLimit(.minutes(5))) struct InstallerTests {
    private static func isInstalled(_ node: NodeDirectory, _ name: String = "10-a.conflist") throws -> Bool {
        try node.types(name)?.last == "istio-cni"
    }

    @Test func `an entry that is removed, edited or doubled is put right`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])

        try await node.run { state in
            try await eventually("installed") { state.report.isReady }
            let right = try node.bytes("10-a.conflist")
            let text = String(decoding: right, as: UTF8.self)
            for wrong in [
                Sample.list, text.replacing("kube-system", with: "kube-public"),
                text.replacing(
                    "{\n      \"type\": \"ptp\"",
                    with: "{\"type\":\"istio-cni\"},{\n      \"type\": \"ptp\""
                ),
            ] {
                try node.write(wrong, to: "10-a.conflist")
                try await eventually("healed") { try node.bytes("10-a.conflist") == right }
            }
            try await eventually("counted") { state.report.rewrites >= 3 }
        }
    }

    @Test func `a plugin that is removed, replaced or made unexecutable is put back at once`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])
        let target = node.settings.binaryTarget

        try await node.run { state in
            try await eventually("installed") { state.report.isReady }
            // More often than a configuration would be put back without a pause.
            for _ in 0..<10 {
                try File.remove(target)
                try await eventually("back") { try node.plugin() == NodeDirectory.plugin }
            }
            try File.replace(target, with: Array("plugin of the other".utf8), mode: 0o755)
            try await eventually("back") { try node.plugin() == NodeDirectory.plugin }

            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: target)
            try await eventually("executable") { try FileStatus.of(target)?.mode == 0o755 }
        }
    }

    @Test func `a plugin that is right is not written again`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])
        try await node.install()
        let first = try FileStatus.of(node.settings.binaryTarget)
        let list = try FileStatus.of(node.path("net.d/10-a.conflist"))

        try await node.install()

        #expect(try FileStatus.of(node.settings.binaryTarget) == first)
        #expect(try FileStatus.of(node.path("net.d/10-a.conflist")) == list)
        node.cleanUp()
    }

    @Test func `a new file that the runtime prefers gets the entry (defect 1)`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])

        try await node.run { state in
            try await eventually("installed") { state.report.file == "10-a.conflist" }
            try node.write(Sample.bridge, to: "05-b.conf")
            try await eventually("followed") { state.report.file == "05-b.conflist" }
            #expect(try Self.isInstalled(node, "05-b.conflist"))

            try node.remove("05-b.conflist")
            try await eventually("followed back") { state.report.file == "10-a.conflist" }
            #expect(state.report.isReady)
        }
    }

    @Test(arguments: [false, true])
    func `a primary that goes and comes back is waited for`(isOwned: Bool) async throws {
        var node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])
        node.settings.ownsConfiguration = isOwned

        try await node.run { state in
            try await eventually("installed") { state.report.isReady }
            try node.remove("10-a.conflist")
            try await eventually("not ready") { !state.report.isReady }
            // A renamed file is one that is moved away: inotify tells of the old name only.
            try node.write(Sample.list, to: "10-a.bak")
            try FileManager.default.moveItem(
                atPath: node.path("net.d/10-a.bak"),
                toPath: node.path("net.d/11-a.conflist")
            )
            try await eventually("ready again") { state.report.isReady }
            #expect(try Self.isInstalled(node, isOwned ? "02-istio-cni.conflist" : "11-a.conflist"))
        }
    }

    @Test func `a primary that is torn for a moment is waited for`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])

        try await node.run { state in
            try await eventually("installed") { state.report.isReady }
            try node.write(String(Sample.list.prefix(30)), to: "10-a.conflist")
            try await eventually("not ready") { !state.report.isReady }
            #expect(try node.text("10-a.conflist") == String(Sample.list.prefix(30)))

            try node.write(Sample.list, to: "10-a.conflist")
            try await eventually("installed again") { try state.report.isReady && Self.isInstalled(node) }
        }
    }

    @Test func `an owned file is put back, follows its primary, and keeps its mode`() async throws {
        var node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])
        node.settings.ownsConfiguration = true
        node.settings.groupMayRead = true
        let owned = "02-istio-cni.conflist"

        try await node.run { state in
            try await eventually("installed") { state.report.isReady }
            #expect(try node.text("10-a.conflist") == Sample.list)
            try node.remove(owned)
            try await eventually("put back") { try Self.isInstalled(node, owned) }

            try node.write(Sample.list.replacing("1400", with: "9000"), to: "10-a.conflist")
            try await eventually("follows") { try node.text(owned).contains("9000") }
            #expect(try node.mode(owned) == 0o640)
        }
    }

    @Test func `a token that upstream left goes once the plugin is ours, and again if it comes back (decision 8)`()
        async throws
    {
        let node = try NodeDirectory(texts: [:])
        let token = node.settings.upstreamKubeconfig
        try File.replace(token, with: Array("token".utf8), mode: 0o600)

        try await node.run { state in
            try await eventually("waits") { state.report.reasons.first?.contains("yet") == true }
            #expect(try FileStatus.of(token) != nil)
            try node.write(Sample.list, to: "10-a.conflist")
            try await eventually("gone") { try FileStatus.of(token) == nil }

            try File.replace(token, with: Array("token".utf8), mode: 0o600)
            try node.write(Sample.list, to: "10-a.conflist")
            try await eventually("gone again") { try FileStatus.of(token) == nil }
        }
    }

    @Test func `before it is known who writes the agent is not ready, and leaves everything`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])
        let asked = Atomic(0)

        let role: @Sendable () -> WriterRole = {
            asked.add(1, ordering: .relaxed)
            return .undecided
        }
        try await node.run(role: role) { state in
            try await eventually("asked three times") { asked.load(ordering: .relaxed) >= 3 }

            #expect(!state.report.isReady)
            #expect(try node.contents() == ["10-a.conflist": Array(Sample.list.utf8)])
        }
    }

    @Test(.requiresSeveralUsers) func `directories of another user take the plugin and its entry`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])
        for name in ["net.d", "bin"] {
            try FileManager.default.setAttributes([.ownerAccountID: 1_337], ofItemAtPath: node.path(name))
        }

        try await node.run { state in
            try await eventually("tried") { state.report.isReady || state.report.failures > 0 }
            #expect(state.report.isReady, "\(state.report.reasons)")
            #expect(try Self.isInstalled(node))
        }
    }

    @Test func `a lock that cannot be taken is the reason until it can`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])
        let current = Mutex(WriterRole.unable("open /run/x/agent.lock: read-only"))
        let role: @Sendable () -> WriterRole = { current.withLock { role in role } }

        try await node.run(role: role) { state in
            try await eventually("says so") { state.report.reasons == ["open /run/x/agent.lock: read-only"] }
            #expect(!state.report.isReady)
            #expect(try node.contents() == ["10-a.conflist": Array(Sample.list.utf8)])

            current.withLock { role in role = .writer }
            try await eventually("installs") { state.report.isReady && state.report.reasons.isEmpty }
        }
    }

    @Test func `an agent that does not write leaves everything, and takes over`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])
        let current = Mutex(WriterRole.standby)
        let role: @Sendable () -> WriterRole = { current.withLock { role in role } }

        try await node.run(role: role) { state in
            try await eventually("stands by") { state.report.isReady }
            #expect(try node.contents() == ["10-a.conflist": Array(Sample.list.utf8)])

            current.withLock { role in role = .writer }
            try await eventually("takes over") { try Self.isInstalled(node) }
        }
    }

    @Test func `another program that rewrites the file is healed five times, then slowly, and named`() async throws {
        let node = try NodeDirectory(texts: ["05-cilium.conflist": Sample.list])
        let quarrels = Mutex<[Quarrel]>([])
        let note: @Sendable (Quarrel) -> Void = { quarrel in quarrels.withLock { $0.append(quarrel) } }

        try await node.run(onQuarrel: note) { state in
            try await eventually("installed") { state.report.isReady }
            for _ in 0..<4 {
                try node.write(Sample.list, to: "05-cilium.conflist")
                try await eventually("healed") { try Self.isInstalled(node, "05-cilium.conflist") }
            }
            try node.write(Sample.list, to: "05-cilium.conflist")
            try await eventually("waits") { state.report.reasons.first?.contains("keeps rewriting") == true }
            // The plugin is no part of a quarrel.
            try File.remove(node.settings.binaryTarget)
            try await eventually("the plugin is back") { try node.plugin() != nil }
            #expect(try !Self.isInstalled(node, "05-cilium.conflist"))
            try await eventually("healed all the same") { try Self.isInstalled(node, "05-cilium.conflist") }
        }

        let told = quarrels.withLock { $0 }
        #expect(told.map(\.file) == [node.path("net.d/05-cilium.conflist")])
        #expect(told.first?.advice.contains("cni.exclusive=false") == true)
    }

    @Test func `metrics count installations, failures and what was put right`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])
        let metrics = MetricsRegistry()

        try await node.run(metrics: metrics) { state in
            try await eventually("installed") { metrics.text().contains("istio_cni_install_ready 1\n") }
            #expect(metrics.text().contains("istio_cni_installs_total{result=\"SUCCESS\"} 1\n"))
            #expect(metrics.text().contains("istio_cni_config_rewrites_total 0\n"))

            try node.write(Sample.list, to: "10-a.conflist")
            try await eventually("counted") { metrics.text().contains("istio_cni_config_rewrites_total 1\n") }

            try File.remove(node.settings.binarySource)
            try node.write(Sample.list, to: "10-a.conflist")
            try await eventually("not ready") { metrics.text().contains("istio_cni_install_ready 0\n") }
            #expect(!metrics.text().contains("istio_cni_installs_total{result=\"COPY_BINARIES_FAILURE\"} 0\n"))
            #expect(metrics.text().contains("istio_cni_metrics_refused_total 0\n"))
        }
    }

    @Test func `an image without the plugin is named`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])
        try File.remove(node.settings.binarySource)

        try await node.run { state in
            try await eventually("says so") { state.report.reasons.first?.contains("image") == true }
            #expect(try node.text("10-a.conflist") == Sample.list)
        }
    }

    @Test func `what another program has just written is not lost`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])
        defer { node.cleanUp() }
        var files = NodeFiles(node.settings)
        let state = try files.state()
        let newer = Sample.list.replacing("1400", with: "9000")
        try node.write(newer, to: "10-a.conflist")

        #expect(throws: InstallError.changedMeanwhile(node.path("net.d/10-a.conflist"))) {
            for step in InstallPlan(node.settings, state).steps { try files.take(step, of: state) }
        }
        #expect(try node.text("10-a.conflist") == newer)
    }

    @Test func `a directory that is not there yet is waited for`() async throws {
        let node = try NodeDirectory(texts: [:])
        try FileManager.default.removeItem(atPath: node.path("net.d"))

        try await node.run { state in
            try await eventually("says so") { state.report.reasons.first?.contains("cniConfDir") == true }
            try FileManager.default.createDirectory(atPath: node.path("net.d"), withIntermediateDirectories: false)
            try node.write(Sample.list, to: "10-a.conflist")
            try await eventually("installed") { state.report.isReady }
            // And again, under the watch.
            try FileManager.default.moveItem(atPath: node.path("net.d"), toPath: node.path("old.d"))
            try await eventually("not ready") { !state.report.isReady }
            try FileManager.default.createDirectory(atPath: node.path("net.d"), withIntermediateDirectories: false)
            try node.write(Sample.list, to: "10-a.conflist")
            try await eventually("installed") { state.report.isReady }
        }
    }

    @Test func `what a killed process left is swept, and nothing else`() async throws {
        let node = try NodeDirectory(texts: [
            "10-a.conflist": Sample.list, ".istio-cni-tmp.1.2": "x", ".10-a.conflist.swp": "x",
        ])
        try File.replace(node.path("bin/istio-cni.tmp.123"), with: [1], mode: 0o755)
        try File.replace(node.path("bin/bridge"), with: [1], mode: 0o755)

        try await node.install()

        #expect(try node.names() == [".10-a.conflist.swp", "10-a.conflist"])
        #expect(try Directory.names(in: node.path("bin"), limit: 10) == ["bridge", "istio-cni"])
        node.cleanUp()
    }

    @Test func `modes of others stay, and what is not a file is passed over`() async throws {
        let node = try NodeDirectory(texts: [:])
        try node.write(Array(Sample.list.utf8), to: "10-a.conflist", mode: 0o604)
        try FileManager.default.createDirectory(
            atPath: node.path("net.d/00-d.conf"),
            withIntermediateDirectories: false
        )
        #expect(mkfifo(node.path("net.d/01-p.conf"), 0o600) == 0)

        try await node.run { state in
            try await eventually("installed") { state.report.file == "10-a.conflist" }
            #expect(try node.mode("10-a.conflist") == 0o604)
        }
    }

    @Test func `with ambient mode asked for nothing is written (decision 21)`() async throws {
        var node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])
        node.settings.entry.isAmbientEnabled = true

        try await node.run { state in
            try await eventually("says so") { state.report.reasons.first?.contains("AMBIENT_ENABLED") == true }
            #expect(try node.contents() == ["10-a.conflist": Array(Sample.list.utf8)])
            #expect(try node.plugin() == nil)
        }
    }
}
