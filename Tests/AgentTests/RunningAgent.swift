import Agent
import AgentProtocol
import CNIProtocol
import Foundation
import Kubernetes
import LinuxKernel
import Redirect
import ServiceLifecycle
import TestSupport
import Testing

/// A whole agent on sockets in a directory of its own, for the length of one test.
struct RunningAgent {
    let root: URL

    /// More settings than those of an agent on ``podDirectory`` that only answers.
    var settings: [AgentSetting: String] = [:]

    /// Lets the pauses pass after which the API server is asked again.
    var sleep: Reflector.Sleep = { pause in try await Task.sleep(for: pause) }

    /// The clock by which pods are old, in milliseconds.
    var now: @Sendable () -> Int = { Clock.monotonicMilliseconds() }

    var runDirectory: String { root.appending(path: "run").path(percentEncoded: false) }
    var podDirectory: URL { root.appending(path: "pods") }
    var pluginSocket: String { "\(runDirectory)/\(PluginServer.socketName)" }
    var logSocket: String { "\(runDirectory)/\(LogServer.socketName)" }

    /// Makes the directories; the pods are there before the agent is.
    init(pods: [String: String] = [:]) throws {
        root = URL(filePath: "/tmp/agent-\(UInt32.random(in: .min ... .max))")
        try FileManager.default.createDirectory(at: podDirectory, withIntermediateDirectories: true)
        for (name, text) in pods { try write(text, to: name) }
    }

    /// Replaces a file of a pod in one step, as an editor or the kubelet does.
    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: podDirectory.appending(path: name), options: .atomic)
    }

    /// Runs the agent until `body` returns, and removes what it left behind.
    func run(
        limits: SocketLimits = SocketLimits(),
        isReadable: Bool = true,
        _ body: () async throws -> Void
    ) async throws {
        defer { try? FileManager.default.removeItem(at: root) }  // Under /tmp, which is cleared anyway.
        try await runWithoutCleaning(limits: limits, isReadable: isReadable, body)
    }

    func runWithoutCleaning(
        limits: SocketLimits = SocketLimits(),
        isReadable: Bool = true,
        _ body: () async throws -> Void
    ) async throws {
        let source = isReadable ? podDirectory.path(percentEncoded: false) : "/does/not/exist"
        var settings = NodeAgent.Settings(
            configuration: try AgentConfiguration(
                arguments: [
                    .podSource: "directory:\(source)", .agentRunDirectory: runDirectory, .skipsInstallation: "true",
                    .repairs: "false",
                ].merging(self.settings) { _, own in own },
                environment: [:]
            ),
            backend: BackendChoice(.nftables, "of the test"),
            version: "1.2.3"
        )
        settings.limits = limits
        settings.sleep = sleep
        settings.now = now
        let group = try NodeAgent(settings).makeServiceGroup()
        let agent = Task { try await group.run() }
        do {
            try await eventually("the agent listens") { FileManager.default.fileExists(atPath: pluginSocket) }
            if isReadable && limits.users.contains(OwnProcess.effectiveUser) {
                try await eventually("the agent is ready") { try await status()["ready"] == .bool(true) }
            }
            try await body()
        } catch {
            await group.triggerGracefulShutdown()
            try await agent.value
            throw error
        }
        await group.triggerGracefulShutdown()
        try await agent.value
    }

    /// Sends bytes as they are, and returns all that comes back before the agent closes.
    func exchange(_ bytes: [UInt8], on path: String? = nil, seconds: Int = 10) async throws -> [UInt8] {
        let path = path ?? pluginSocket
        return try await onThread {
            let socket = try UnixSocket(connectingTo: path, deadlineMilliseconds: 1_000)
            do {
                try socket.send(bytes, deadlineMilliseconds: seconds * 1_000)
            } catch {
                // The agent may answer and close before it has read all; what it said is what counts.
            }
            var answer: [UInt8] = []
            do {
                while true {
                    let part = try socket.receive(deadlineMilliseconds: seconds * 1_000)
                    if part.isEmpty { return answer }
                    answer += part
                }
            } catch let error as KernelError where error.errno == .connectionReset {
                // The end of a connection whose other end had not read all.
                return answer
            }
        }
    }

    func response(_ request: HTTPRequestText, on path: String? = nil) async throws -> HTTPResponse {
        try HTTPResponse(try await exchange(request.bytes, on: path), isAtEnd: true)
    }

    func ask(_ request: AddRequest) async throws -> AddReply {
        try AddReply(try await response(HTTPRequestText(request)))
    }

    func status() async throws -> JSONValue {
        try JSONValue(parsing: try await response(HTTPRequestText(get: "/v1/status")).body)
    }

    /// The only pod in `/debug/pods`; null where there is none, or several.
    func onlyPod() async throws -> JSONValue {
        let report = try JSONValue(parsing: try await response(HTTPRequestText(get: "/debug/pods")).body)
        let pods = report["pods"]?.array ?? []
        return pods.count == 1 ? pods[0] : .null
    }
}

/// Pods as text, and requests about them.
enum Sample {
    static let request = AddRequest(
        podNamespace: "shop",
        podName: "cart",
        podUID: "u1",
        containerID: "c1",
        ips: ["10.0.0.2/24"]
    )

    /// A pod of the mesh.
    static func pod(uid: String = "u1", annotations: String = "") -> String {
        #"{"metadata":{"namespace":"shop","name":"cart","uid":"\#(uid)","annotations":{"#
            + #""sidecar.istio.io/status":"{}"\#(annotations)}},"#
            + #""spec":{"containers":[{"name":"istio-proxy","args":["proxy","sidecar"]}]}}"#
    }
}
