import CNIProtocol
import LinuxKernel
import TestSupport
import Testing

@testable import Agent

/// What an agent of upstream leaves on a node, and what it finds when it comes back.
@Suite(.requiresUpstreamFixtures, .timeLimit(.minutes(2))) struct FromUpstreamTests {
    private static func value(_ bytes: [UInt8]) throws -> JSONValue { try JSONValue(parsing: bytes).canonical }

    private static func fixture(_ name: String) throws -> [UInt8] { try UpstreamFixtures.bytes("install/\(name)") }

    /// The entry as upstream writes it.
    private static func upstreamEntry() throws -> JSONValue {
        let list = try JSONValue(parsing: try fixture("10-calico.conflist-istioconfig"))
        return try #require(list["plugins"]?.array?.last)
    }

    @Test func `after a safe upgrade or a kill, its entry, plugin and token give way to ours`() async throws {
        let node = try NodeDirectory(["10-calico.conflist": try Self.fixture("10-calico.conflist-istioconfig")])
        try File.replace(node.settings.binaryTarget, with: Array("upstream's plugin".utf8), mode: 0o755)
        try File.replace(node.settings.upstreamKubeconfig, with: Array("token".utf8), mode: 0o600)

        try await node.install()

        #expect(try node.types("10-calico.conflist") == ["calico", "portmap", "istio-cni"])
        #expect(try node.entry("10-calico.conflist") == node.settings.entry.value)
        #expect(try node.plugin() == NodeDirectory.plugin)
        #expect(try FileStatus.of(node.settings.upstreamKubeconfig) == nil)
        #expect(try node.names() == ["10-calico.conflist"], "no journal: nothing else is to be undone")

        // And back: ours leaves, upstream's comes.
        try await node.uninstall()
        let left = try node.bytes("10-calico.conflist")
        #expect(try Self.value(left) == Self.value(try Self.fixture("calico.conflist")))
        let again = try ConfigurationText(left).settingEntry(try Self.upstreamEntry())
        #expect(try Self.value(again) == Self.value(try Self.fixture("10-calico.conflist-istioconfig")))
        node.cleanUp()
    }

    /// Changing the image leaves our plugin in place (architecture, decision 11); upstream then sets its entry, which has the
    /// same name.
    @Test func `where our plugin stayed, upstream's entry takes the place of ours`() async throws {
        let node = try NodeDirectory(["10-calico.conflist": try Self.fixture("calico.conflist")])
        try await node.install()

        let after = try ConfigurationText(node.bytes("10-calico.conflist")).settingEntry(try Self.upstreamEntry())

        #expect(try Self.value(after) == Self.value(try Self.fixture("10-calico.conflist-istioconfig")))
        #expect(try node.names() == ["10-calico.conflist"], "nothing of ours shadows it")
        #expect(try FileStatus.of(node.settings.upstreamKubeconfig) == nil)
        node.cleanUp()
    }

    @Test func `after its clean exit, the list that it made of a single plugin stays as it is`() async throws {
        let node = try NodeDirectory(["10-minikube_cni.conflist": try Self.fixture("minikube_cni.conflist.clean")])
        let before = try node.contents()

        try await node.install()
        #expect(try node.types("10-minikube_cni.conflist") == ["bridge", "istio-cni"])
        try await node.uninstall()

        #expect(try node.contents() == before)
        node.cleanUp()
    }

    @Test(arguments: [false, true])
    func `no owned file of its shadows what we install`(isOwned: Bool) async throws {
        let primary = try Self.fixture("unit-list.conflist")
        var node = try NodeDirectory([
            "02-istio-cni.conflist": try Self.fixture("unit-istio-owned.conflist.golden"), "10-db.conflist": primary,
        ])
        node.settings.ownsConfiguration = isOwned

        try await node.install()
        let installed = isOwned ? "02-istio-cni.conflist" : "10-db.conflist"
        #expect(try node.types(installed) == ["bridge", "tuning", "istio-cni"])
        #expect(try node.entry(installed) == node.settings.entry.value)
        #expect(try node.names().contains("02-istio-cni.conflist") == isOwned)
        try await node.uninstall()

        #expect(try node.contents() == ["10-db.conflist": primary])
        node.cleanUp()
    }
}
