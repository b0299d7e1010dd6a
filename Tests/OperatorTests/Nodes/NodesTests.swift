import Agent
import AgentProtocol
import CNIProtocol
import Foundation
import HTTPTestSupport
import LinuxKernel
import TestSupport
import Testing

@testable import Operator

/// `status` and `bypass` about three agents on one machine: five pods, two of them broken.
@Suite(.requiresNetworkNamespaces, .timeLimit(.minutes(3))) struct NodesTests {
    private static func withNodes(_ body: ([StagedNode]) async throws -> Void) async throws {
        try await ScriptedServer.run { server in
            let nodes = [
                try await StagedNode("node-a", pods: [("good-1", .redirected), ("broken-1", .broken)], server: server),
                try await StagedNode("node-b", pods: [("good-2", .redirected), ("broken-2", .broken)], server: server),
                try await StagedNode("node-c", pods: [("plain", .outside)], server: server),
            ]
            let directories = nodes.map { node in node.runDirectory }
            try await eventually("every pod has been looked at", story: { nodes.map { $0.agent.story }.joined() }) {
                let answers = NodeAnswers.local(directories)
                let states = answers.reports.flatMap { _, report in report.pods.map { pod in pod.state.rawValue } }
                return states.sorted() == ["bypassing", "bypassing", "redirected", "redirected", "skipped"]
            }
            try await body(nodes)
        }
    }

    private static let broken = ["node-a shop/broken-1", "node-b shop/broken-2"]

    @Test func `agents of this machine are asked by their run directories, and the list is exact`() async throws {
        try await Self.withNodes { nodes in
            let directories = nodes.map { node in node.runDirectory }

            let (status, output, _) = try await Self.run(["bypass", "--json", "--run-dir"] + directories)
            let (readiness, table, _) = try await Self.run(["status", "--run-dir"] + directories)

            #expect(status == 1)
            #expect(try Self.listed(output, "bypassing") == Self.broken)
            #expect(try Self.listed(output, "unknown") == [])
            #expect(readiness == 0, "\(table)")
            let rows = table.split(separator: "\n").map { row in row.split(separator: " ").map(String.init) }
            #expect(rows.dropFirst().map { $0[0] } == ["node-a", "node-b", "node-c"])
            // NODE VERSION READY BACK-END ANNOTATIONS, then redirected, skipped, bypassing, partial, unknown.
            #expect(
                rows.dropFirst().map { Array($0[5..<10]) } == [
                    ["1", "0", "1", "0", "0"], ["1", "0", "1", "0", "0"], ["0", "1", "0", "0", "0"],
                ]
            )
        }
    }

    @Test func `through kubectl the answers are the same, and the calls are a list of arguments`() async throws {
        try await Self.withNodes { nodes in
            let kubectl = try RecordingKubectl(nodes, deadNodes: ["node-d"])

            let (status, output, error) = try await Self.run(
                ["bypass", "--json", "--context", "test"],
                path: kubectl.folder
            )
            let (_, text, _) = try await Self.run(["status"], path: kubectl.folder)

            #expect(status == 1, "\(output)\(error)")
            #expect(try Self.listed(output, "bypassing") == Self.broken)
            #expect(try Self.listed(output, "notAsked") == ["node-d /"])
            #expect(text.contains("node-d: no agent's pod is on this node"))
            let calls = try kubectl.calls()
            #expect(
                calls.first
                    == "--context test get pods --selector k8s-app=istio-cni-node --all-namespaces --output json"
            )
            let exec = "exec --namespace istio-system agent-node-a --container install-cni -- install-cni status --json"
            #expect(calls.contains("--context test \(exec)"), "\(calls)")
            #expect(calls.count(where: { $0.contains("exec") }) == 6)
        }
    }

    @Test func `a pod whose sandbox has a network stack of its own is not known`() async throws {
        try await ScriptedServer.run { server in
            let node = try await StagedNode("node-a", pods: [("vm", .isolated)], server: server)
            try await eventually("the agent answers") {
                NodeAnswers.local([node.runDirectory]).reports.first?.report.pods.count == 1
            }

            let (status, output, _) = try await Self.run(["bypass", "--json", "--run-dir", node.runDirectory])

            #expect(status == 0)
            #expect(try Self.listed(output, "unknown") == ["node-a shop/vm"])
            #expect(output.contains("kata-qemu"))
        }
    }

    @Test func `a node that does not answer is a row with its reason, and status 2`() async throws {
        let (status, output, _) = try await Self.run(["bypass", "--run-dir", "/tmp/nobody-is-here"])

        #expect(status == 2)
        #expect(output.hasPrefix("no node could be asked\nnot asked: /tmp/nobody-is-here: no agent answers"))
        #expect(!output.contains("no pod is known"))
    }

    @Test(arguments: ["status", "bypass", "doctor"])
    func `a cluster that cannot be asked is status 2, and no finding`(command: String) async throws {
        let (status, output, error) = try await Self.run([command, "--kubeconfig", "/nowhere"])

        #expect(status == 2)
        #expect(output.isEmpty)
        #expect(error.hasPrefix("istio-cnictl \(command): kubectl"))
    }

    @Test func `doctor does not offer what it cannot do on this machine`() async throws {
        let (_, help, _) = try await Self.run(["doctor", "--help"])
        let (status, _, error) = try await Self.run(["doctor", "--run-dir", "/tmp/nobody-is-here"])

        #expect(!help.contains("--run-dir <dir>"))
        #expect(help.split(whereSeparator: \.isWhitespace).joined(separator: " ").contains("run install-cni doctor"))
        #expect(status == 64)
        #expect(error.contains("Unknown option '--run-dir'"))
    }

    @Test(arguments: [["version"], ["--version"]])
    func `the program tells its version`(arguments: [String]) async throws {
        let (status, output, _) = try await Self.run(arguments)

        #expect(status == 0)
        #expect(output == "istio-cnictl \(ProductVersion.text)\n")
    }

    @Test func `for programs the version has the keys of install-cni version`() async throws {
        let (status, output, _) = try await Self.run(["version", "--json"])

        #expect(status == 0)
        let value = try JSONValue(parsing: Array(output.utf8))
        #expect(value["clientVersion"]?["version"]?.string == ProductVersion.text)
    }

    // MARK: - The program

    private static let program = URL(filePath: AgentProcess.program).deletingLastPathComponent()
        .appending(path: "istio-cnictl").path(percentEncoded: false)

    private static func run(
        _ arguments: [String],
        path: String = ""
    ) async throws -> (status: Int?, output: String, error: String) {
        let call = ChildProcess(
            program,
            arguments,
            environment: ["PATH=\(path):/usr/bin:/bin"],
            deadlineMilliseconds: 60_000
        )
        let ended = try await onThread { try call.run() }
        let status: Int? = if case .exit(let status) = ended.ending { status } else { nil }
        return (
            status, String(decoding: ended.standardOutput, as: UTF8.self),
            String(decoding: ended.standardError, as: UTF8.self)
        )
    }

    private static func listed(_ output: String, _ key: String) throws -> [String] {
        let value = try JSONValue(parsing: Array(output.utf8))
        return (value[key]?.array ?? []).map { entry in
            "\(entry["node"]?.string ?? "?") \(entry["namespace"]?.string ?? "")/\(entry["name"]?.string ?? "")"
        }
    }
}

/// A `kubectl` that notes what it is called with, and answers for a cluster of staged nodes.
///
/// `exec` runs the real `install-cni` beside the node's agent.
private final class RecordingKubectl: Sendable {
    let folder: String
    private let log: URL

    init(_ nodes: [StagedNode], deadNodes: [String]) throws {
        let root = URL(filePath: "/tmp/kubectl-\(UInt32.random(in: .min ... .max))")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        folder = root.path(percentEncoded: false)
        log = root.appending(path: "calls")
        let pods = nodes.map { node in
            """
            {"metadata":{"namespace":"istio-system","name":"agent-\(node.name)"},"spec":{"nodeName":"\(node.name)"}}
            """
        }
        let names = nodes.map { node in node.name } + deadNodes
        try Data("{\"items\":[\(pods.joined(separator: ","))]}".utf8).write(to: root.appending(path: "pods.json"))
        let items = names.map { name in "{\"metadata\":{\"name\":\"\(name)\"}}" }.joined(separator: ",")
        try Data("{\"items\":[\(items)]}".utf8).write(to: root.appending(path: "nodes.json"))
        for node in nodes {
            try Data(node.runDirectory.utf8).write(to: root.appending(path: "agent-\(node.name)"))
        }
        let script = """
            #!/bin/bash
            cd "$(dirname "$0")"
            echo "$*" >> calls
            case "$*" in
              *"get pods"*) cat pods.json ;;
              *"get nodes"*) cat nodes.json ;;
              *exec*)
                for word in "$@"; do [[ -e $word && $word == agent-* ]] && directory=$(cat "$word"); done
                while [[ $1 != -- ]]; do shift; done
                exec "\(AgentProcess.program)" "${@:3}" --cni-agent-run-dir="$directory" ;;
              *) echo "unexpected: $*" >&2; exit 9 ;;
            esac

            """
        let file = root.appending(path: "kubectl")
        try Data(script.utf8).write(to: file)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755],
            ofItemAtPath: file.path(percentEncoded: false)
        )
    }

    deinit {
        // Under /tmp, which is cleared anyway.
        try? FileManager.default.removeItem(atPath: folder)
    }

    func calls() throws -> [String] {
        try String(contentsOf: log, encoding: .utf8).split(separator: "\n").map(String.init)
    }
}
