import CNIProtocol
import Conformance
import Foundation
import LinuxKernel
import TestSupport
import Testing

@testable import Operator

/// What injection makes, in the hands of the program that has to understand it.
@Suite(.requiresNetworkNamespaces) struct InjectedArgumentsTests {
    @Test(.tags(.s8), arguments: ["REDIRECT", "TPROXY"])
    func `our own istio-iptables takes the arguments of the injected container, and makes rules`(
        mode: String
    ) async throws {
        let namespace = try NetworkNamespace.makeNew()
        _ = try await namespace.command("ip", "link", "set", "lo", "up")
        _ = try await namespace.command("ip", "addr", "add", "10.0.0.2/24", "dev", "lo")
        var settings = MeshSettings()
        settings.usesPlugin = false
        settings.wantsNFTables = true
        settings.proxyConfig.interceptionMode = mode
        let pod = try YAMLDocuments.read("{kind: Pod, metadata: {name: a}, spec: {containers: [{name: a}]}}")

        let made = try Injection(settings: settings).inject(pod).documents.first
        let container = try #require(made?["spec"]?["initContainers"]?.array?.first)
        let arguments = try #require(container["args"]?.strings)
        try Self.run(Array(arguments.dropFirst()), in: namespace)

        #expect(arguments.first == "istio-iptables")
        let port = mode == "TPROXY" ? "tproxy ip to :15006" : "redirect to :15006"
        #expect(try await namespace.listRuleset().contains(port))
    }

    /// Runs `install-cni`, which stands beside the running test program, under its other name.
    private static func run(_ arguments: [String], in namespace: borrowing NetworkNamespace) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "inject-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer {
            // A folder that stays in the temporary directory harms nobody.
            try? FileManager.default.removeItem(at: folder)
        }
        let link = folder.appending(path: "istio-iptables")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: URL(filePath: AgentProcess.program))
        let tool = ChildProcess(link.path(percentEncoded: false), arguments, deadlineMilliseconds: 60_000)
        let ended = try tool.run(in: namespace)
        #expect(ended.isSuccess, "\(String(decoding: ended.standardError, as: UTF8.self))")
    }
}
