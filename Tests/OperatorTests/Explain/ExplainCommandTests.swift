import CNIProtocol
import Foundation
import TestSupport
import Testing

@testable import Operator

/// `explain`, `trace`, `rules` and `try` as people run them, on files that have several pods or cannot be had.
@Suite struct ExplainCommandTests {
    // MARK: - Files

    @Test(arguments: [
        ["explain", "-f", "/nowhere.yaml"], ["trace", "--inbound", "80", "-f", "/nowhere.yaml"],
        ["rules", "-f", "/nowhere.yaml"], ["try", "--pod", "/nowhere.yaml"], ["inject", "-f", "/nowhere.yaml"],
        ["inject", "-f", "/dev/null", "--values", "/nowhere.yaml"],
        ["manifest", "generate", "-f", "/nowhere.yaml"], ["install", "-y", "-f", "/nowhere.yaml"],
    ])
    func `a file that is not there is named with the reason`(command: [String]) async throws {
        let ended = try await Self.run(command)

        #expect(ended.status == 1)
        #expect(ended.error.hasSuffix(": /nowhere.yaml cannot be read: No such file or directory\n"), "\(ended.error)")
    }

    @Test func `a folder is no file to read`() async throws {
        let ended = try await Self.run(["explain", "-f", "/tmp"])

        #expect(ended.error == "istio-cnictl explain: /tmp cannot be read: Is a directory\n")
    }

    @Test(arguments: [
        ["explain", "-f", "-", "--svg"],
        ["manifest", "generate", "--set", "hub=r.example/x", "--set", "components.cni.enabled=true", "-o"],
        ["bundle", "-o"],
    ])
    func `a file that cannot be written is named with the reason`(command: [String]) async throws {
        let ended = try await Self.run(command + ["/nowhere/a"], input: Self.sidecar("web"))

        #expect(ended.status == 1)
        #expect(ended.error.hasSuffix(": /nowhere/a cannot be written: No such file or directory\n"), "\(ended.error)")
    }

    // MARK: - Runs

    private static func run(_ arguments: [String], input: String = "") async throws -> DeployCluster.Ended {
        try await DeployCluster.command(arguments, kubeconfig: "/nowhere", input: input)
    }

    private static func sidecar(_ name: String, _ annotation: String = "excludeOutboundPorts: '15020'") -> String {
        """
        kind: Deployment
        metadata: {name: \(name), namespace: shop}
        spec:
          template:
            metadata: {annotations: {sidecar.istio.io/status: '{}', traffic.sidecar.istio.io/\(annotation)}}
            spec: {containers: [{name: app}, {name: istio-proxy, args: [proxy, sidecar]}]}

        """
    }
}
