import Agent
import Foundation
import LinuxKernel
import Synchronization
import TestSupport
import Testing

/// Taking the plugin off the node.
@Suite(.timeLimit(.minutes(5))) struct UninstallerTests {
    @Test func `entry, token, journal and leftovers go, the plugin stays`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conf": Sample.bridge, "20-b.conflist": Sample.list])
        try await node.install()
        try File.replace(node.settings.upstreamKubeconfig, with: [1], mode: 0o600)
        try node.write("x", to: ".istio-cni-tmp.1.2")

        let settings = node.settings
        let before = try await onThread { try Uninstaller(settings).remains() }
        try await node.uninstall()
        let after = try await onThread { try Uninstaller(settings).remains() }

        #expect(before.count == 4, "\(before)")
        #expect(after == [])
        #expect(
            try node.contents() == [
                "10-a.conf": Array(Sample.bridge.utf8), "20-b.conflist": Array(Sample.list.utf8),
            ]
        )
        #expect(try node.plugin() == NodeDirectory.plugin)
        node.cleanUp()
    }

    @Test func `the journal can be read by nobody else`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conf": Sample.bridge])

        try await node.install()

        #expect(try node.mode(InstallJournal.fileName) == 0o600)
        #expect(!ConfigurationFile.isLoadable(InstallJournal.fileName))
        node.cleanUp()
    }

    @Test func `the plugin goes only when no entry has been there for a minute`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])
        try await node.install()
        let settings = node.settings

        let early = try await onThread { try Uninstaller(settings).run(removesBinary: true) { false } }
        #expect(!early.hasRemovedBinary)
        #expect(try node.plugin() != nil)

        let seconds = Atomic(0)
        let late = try await onThread {
            try Uninstaller(settings).run(removesBinary: true) {
                // A minute later, as far as the files tell.
                seconds.add(1, ordering: .relaxed)
                let past = Date(timeIntervalSinceNow: -61)
                for name in ["", "/10-a.conflist"] {
                    try? FileManager.default.setAttributes(
                        [.modificationDate: past],
                        ofItemAtPath: settings.configurationDirectory + name
                    )
                }
                return seconds.load(ordering: .relaxed) < 10
            }
        }
        #expect(late.hasRemovedBinary)
        #expect(try node.plugin() == nil)
        #expect(try Uninstaller(settings).remains(includingBinary: true) == [])
        node.cleanUp()
    }

    @Test func `a file from the future is waited for a minute, and no longer`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list, "99-b.conflist": Sample.list])
        try await node.install()
        let settings = node.settings
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 13_569_465_600)],
            ofItemAtPath: settings.configurationDirectory + "/99-b.conflist"
        )

        let seconds = Atomic(0)
        let outcome = try await onThread {
            try Uninstaller(settings, now: { seconds.load(ordering: .relaxed) * 1_000 }).run(removesBinary: true) {
                seconds.add(1, ordering: .relaxed)
                return seconds.load(ordering: .relaxed) <= 100
            }
        }

        #expect(outcome.hasRemovedBinary)
        #expect(seconds.load(ordering: .relaxed) == 60)
        node.cleanUp()
    }

    @Test func `an entry that comes back while it waits keeps the plugin`() async throws {
        let node = try NodeDirectory(texts: ["10-a.conflist": Sample.list])
        try await node.install()
        let settings = node.settings
        let entry = try node.bytes("10-a.conflist")

        let outcome = try await onThread {
            try Uninstaller(settings).run(removesBinary: true) {
                (try? File.replace(settings.configurationDirectory + "/10-a.conflist", with: entry, mode: 0o644)) != nil
            }
        }

        #expect(!outcome.hasRemovedBinary)
        #expect(try node.plugin() != nil)
        node.cleanUp()
    }
}
