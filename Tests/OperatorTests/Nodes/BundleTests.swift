import AgentProtocol
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
        "- name: API_TOKEN\n  value: |-\n    hunter2hunter2\n    hunter2\n- name: OTHER\n  value: kept",
        "    Environment:\n      DB_PASSWORD:  correct hunter2\n                    hunter2\n      OTHER:  kept",
        "-----BEGIN EC PRIVATE KEY-----\nhunter2hunter2\n-----END EC PRIVATE KEY-----",
        "    kubectl.kubernetes.io/last-applied-configuration: |\n      {\"env\":[{\"value\":\"hunter2hunter2\"}]}\n    other: b",
    ])
    func `a secret is gone, wherever it stands`(text: String) {
        let removed = Secrets.removed(from: text)

        #expect(!removed.contains("hunter2") && !removed.contains(Self.token), "\(removed)")
        #expect(removed.contains(Secrets.mark))
        #expect(removed.contains("kept") == text.contains("kept"))
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

    @Test func `of each agent there is its pod, and of one that restarted the log before that too`() throws {
        let kubectl = try ScriptedKubectl(restarts: ["node-a": 0, "node-b": 7])

        let files = try kubectl.bundle(namespace: "istio-system")

        let names = files.map { file in file.name }.filter { name in name.contains("/") }
        #expect(
            names == [
                "pods/node-a.txt", "logs/node-a.txt", "pods/node-b.txt", "logs/node-b.txt",
                "logs/node-b.previous.txt",
            ]
        )
        let description = try #require(files.first { file in file.name == "pods/node-b.txt" }).text
        #expect(description.contains("describe pod --namespace istio-system agent-node-b"))
        #expect(description.contains("API_TOKEN:  \(Secrets.mark)"))
        let previous = try #require(files.last).text
        #expect(previous.contains("logs --namespace istio-system agent-node-b --container install-cni"))
        #expect(previous.contains("--previous"))
    }

    @Test func `a log before the end that is gone is a line in the index`() throws {
        let kubectl = try ScriptedKubectl(restarts: ["node-b": 1], refused: "--previous")

        let files = try kubectl.bundle()

        #expect(files[0].text.contains("\nlogs/node-b.previous.txt: not had: kubectl logs"))
        #expect(files.last?.name == "logs/node-b.txt")
    }

    @Test func `two agents of one node do not write over each other`() throws {
        let kubectl = try ScriptedKubectl(restarts: ["node-a": 0], agentsPerNode: 2)

        let names = try kubectl.bundle().map { file in file.name }

        #expect(names.suffix(2) == ["pods/node-a.agent-node-a-2.txt", "logs/node-a.agent-node-a-2.txt"])
        #expect(Set(names).count == names.count)
    }

    @Test func `the index begins with the version of this program`() throws {
        let kubectl = Kubectl(try ExternalProgram("false", environment: ["PATH": "/usr/bin:/bin"]))

        let index = Bundle(kubectl, namespace: nil).files()[0].text

        #expect(index.hasPrefix("made by istio-cnictl \(ProductVersion.text)\n"))
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func `completion names every command`(shell: String) async throws {
        let program = URL(filePath: AgentProcess.program).deletingLastPathComponent().appending(path: "istio-cnictl")
        let call = ChildProcess(
            program.path(percentEncoded: false),
            ["completion", shell],
            deadlineMilliseconds: 30_000
        )

        let script = String(decoding: try await onThread { try call.run() }.standardOutput, as: UTF8.self)

        for command in [
            "explain", "trace", "rules", "inject", "status", "bypass", "doctor", "bundle", "try", "version",
        ] {
            #expect(script.contains(command), "\(command)")
        }
        guard shell == "bash" else { return }
        let check = ChildProcess("/bin/bash", ["-n"], standardInput: Array(script.utf8), deadlineMilliseconds: 30_000)
        #expect(try await onThread { try check.run() }.isSuccess)
    }
}

/// A `kubectl` that knows agents and their restarts, and answers all else with its own arguments and a secret.
private final class ScriptedKubectl {
    private let folder = URL(filePath: "/tmp/kubectl-\(UInt32.random(in: .min ... .max))")

    /// - Parameters:
    ///   - restarts: How often the agent of each node has ended.
    ///   - refused: A word with which a call fails.
    ///   - agentsPerNode: 2 while an update surges.
    /// - Throws: What the file system refused.
    init(restarts: [String: Int], refused: String = "nothing", agentsPerNode: Int = 1) throws {
        let pods = restarts.sorted { $0.key < $1.key }.flatMap { node, count in
            (1...agentsPerNode).map { number in
                let name = number == 1 ? "agent-\(node)" : "agent-\(node)-\(number)"
                return """
                    {"metadata":{"namespace":"istio-system","name":"\(name)"},"spec":{"nodeName":"\(node)"},\
                    "status":{"containerStatuses":[{"name":"install-cni","restartCount":\(count)}]}}
                    """
            }
        }
        let script = """
            #!/bin/bash
            case "$*" in
              *\(refused)*) echo "previous terminated container not found" >&2; exit 1 ;;
              *"get pods"*json*) echo '{"items":[\(pods.joined(separator: ","))]}' ;;
              *"get nodes"*) echo '{"items":[]}' ;;
              *) printf '%s\\n      API_TOKEN:  hunter2 hunter2\\n' "$*" ;;
            esac

            """
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appending(path: "kubectl")
        try Data(script.utf8).write(to: file)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755],
            ofItemAtPath: file.path(percentEncoded: false)
        )
    }

    deinit {
        // Under /tmp, which is cleared anyway.
        try? FileManager.default.removeItem(at: folder)
    }

    /// What a bundle of it has.
    func bundle(namespace: String? = nil) throws -> [(name: String, text: String)] {
        let path = "\(folder.path(percentEncoded: false)):/usr/bin:/bin"
        let program = try ExternalProgram("kubectl", environment: ["PATH": path])
        return Bundle(Kubectl(program), namespace: namespace).files()
    }
}
