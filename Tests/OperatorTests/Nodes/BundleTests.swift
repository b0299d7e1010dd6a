import CNIProtocol
import Foundation
import LinuxKernel
import TestSupport
import Testing

@testable import Operator

@Suite struct BundleTests {
    private static let token = "eyJhbGciOiJSUzI1NiIsImtpZCI6.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ.c2lnbmF0dXJl"

    @Test(arguments: [
        "Authorization: Bearer \(token)", "level=info token=\(token) pod=a", "password: hunter2hunter2",
        "- name: DB_PASSWORD\n  value: hunter2hunter2", "\"apiKey\": \"hunter2hunter2\"", "API_TOKEN=hunter2hunter2",
        "https://user:hunter2hunter2@registry.example/v2", "clientSecret: 'hunter2hunter2'",
        "-----BEGIN EC PRIVATE KEY-----\nhunter2hunter2\n-----END EC PRIVATE KEY-----",
        "    kubectl.kubernetes.io/last-applied-configuration: |\n      {\"env\":[{\"value\":\"hunter2hunter2\"}]}\n    other: b",
    ])
    func `a secret is gone, wherever it stands`(text: String) {
        let removed = Secrets.removed(from: text)

        #expect(!removed.contains("hunter2") && !removed.contains(Self.token), "\(removed)")
        #expect(removed.contains(Secrets.mark))
    }

    @Test(arguments: [
        "serviceAccountName: istio-cni", "secrets:\n- name: pull", "volumes:\n- secret:\n    secretName: x",
        "tokens left: all",
        "2026-11-26T10:00:00Z info pod was repaired pod=shop/cart", "automountServiceAccountToken:\n  a: b",
    ])
    func `what is no secret stays`(text: String) {
        let kept = Secrets.removed(from: text)

        #expect(kept.split(separator: "\n").count == text.split(separator: "\n").count)
        #expect(kept == text || text.contains("secretName"), "\(kept)")
    }

    @Test func `tar reads the archive`() async throws {
        let long = String(repeating: "line\n", count: 300)
        let bytes = TarArchive.bytes(
            [("index.txt", "a\n"), ("logs/node-1.txt", long)],
            folder: "bundle",
            seconds: 1_700_000_000
        )
        let tar = ChildProcess(
            "/usr/bin/tar",
            ["--to-stdout", "-xf", "-", "bundle/logs/node-1.txt"],
            standardInput: bytes,
            deadlineMilliseconds: 30_000
        )

        let ended = try await onThread { try tar.run() }

        #expect(ended.isSuccess, "\(String(decoding: ended.standardError, as: UTF8.self))")
        #expect(String(decoding: ended.standardOutput, as: UTF8.self) == long)
    }

    @Test func `what cannot be had is a line in the index`() throws {
        let kubectl = Kubectl(try ExternalProgram("false", environment: ["PATH": "/usr/bin:/bin"]))

        let files = Bundle(kubectl, namespace: "istio-system").files()

        #expect(files.map { $0.name } == ["index.txt"])
        #expect(files[0].text.contains("status.json: not had: false get pods"))
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func `completion names every command`(shell: String) async throws {
        let program = URL(filePath: AgentProcess.program).deletingLastPathComponent().appending(path: "istio-cnictl")
        let call = ChildProcess(
            program.path(percentEncoded: false),
            ["completion", shell],
            deadlineMilliseconds: 30_000
        )

        let script = String(decoding: try await onThread { try call.run() }.standardOutput, as: UTF8.self)

        for command in ["explain", "trace", "rules", "inject", "status", "bypass", "doctor", "bundle", "try"] {
            #expect(script.contains(command), "\(command)")
        }
        guard shell == "bash" else { return }
        let check = ChildProcess("/bin/bash", ["-n"], standardInput: Array(script.utf8), deadlineMilliseconds: 30_000)
        #expect(try await onThread { try check.run() }.isSuccess)
    }
}
