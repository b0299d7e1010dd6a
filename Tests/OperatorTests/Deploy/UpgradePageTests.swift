import CNIProtocol
import Conformance
import Foundation
import HTTPTestSupport
import Testing

@testable import Operator

/// The commands of docs/upgrade.md, through real Helm.
@Suite struct UpgradePageTests {
    static let commands: [String] = {
        let page = TestDocument.root.appending(path: "docs/upgrade.md")
        // Without the page there is no command, and a test says so.
        let text = (try? String(contentsOf: page, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init).filter {
            $0.hasPrefix("helm upgrade istio-cni charts/istio-cni ")
        }
    }()

    @Test func `the page has commands for this chart`() { #expect(Self.commands.count >= 3) }

    @Test(.tags(.s26, .s28), arguments: commands)
    func `an upgrade as the page has it keeps the registry of the installation`(command: String) async throws {
        let chart = TestDocument.root.appending(path: "charts/istio-cni").path(percentEncoded: false)
        let file = FileManager.default.temporaryDirectory.appending(path: "values-\(UUID().uuidString)")
        try Data("excludeNamespaces: [shop]\n".utf8).write(to: file)
        try await DeployCluster.run { cluster in
            _ = try await cluster.helm(
                ["upgrade", "--install", "istio-cni", chart, "-n", "istio-system", "--create-namespace"]
                    + ["--set", "hub=r.example/x"]
            )
            let line = command.split(separator: "#")[0]
                .replacing("charts/istio-cni", with: chart)
                .replacing("your-values.yaml", with: file.path(percentEncoded: false))
                .replacing("REGISTRY", with: "r.example/x").replacing("NEW", with: "2.0").replacing("--wait", with: "")

            let ended = try await cluster.helm(line.split(separator: " ").dropFirst().map(String.init))

            #expect(ended.status == 0, "\(ended.error)")
            #expect(ended.output.contains("REVISION: 2\n"))
            let image = cluster.server.object(at: InstallCommandTests.daemonSet)?
                .value(at: ["spec", "template", "spec", "containers"])?.array?.first?["image"]?.string
            #expect(image?.hasPrefix("r.example/x/install-cni:") == true)
            #expect(image?.hasSuffix(":2.0") == command.contains("tag=NEW"))
        }
        try FileManager.default.removeItem(at: file)
    }
}
