import Foundation
import LinuxKernel

/// The programs that are measured, from the command line.
struct Programs {
    let empty: String
    let plugin: String
    let agent: String
    let rounds: Int

    init(_ arguments: [String]) throws {
        guard arguments.count == 5, let rounds = Int(arguments[4]), rounds > 0 else {
            throw BenchmarkFailure("usage: AddBenchmark EMPTY-PROGRAM ISTIO-CNI INSTALL-CNI ROUNDS")
        }
        empty = arguments[1]
        plugin = arguments[2]
        agent = arguments[3]
        self.rounds = rounds
    }
}

/// A real agent with two pods, and calls of the plugin as a runtime makes them.
final class BenchmarkNode: Sendable {
    private let directory: URL
    private let agent: Process

    init(agent path: String) throws {
        directory = URL(filePath: NSTemporaryDirectory()).appending(path: "istio-cni-bench-\(getpid())")
        let pods = directory.appending(path: "pods")
        let run = directory.appending(path: "run")
        try FileManager.default.createDirectory(at: pods, withIntermediateDirectories: true)
        try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
        try Data(Self.pod("mesh", isInMesh: true).utf8).write(to: pods.appending(path: "mesh.json"))
        try Data(Self.pod("outside", isInMesh: false).utf8).write(to: pods.appending(path: "outside.json"))

        agent = Process()
        agent.executableURL = URL(filePath: path)
        agent.arguments = [
            "--pod-source=directory:\(pods.path(percentEncoded: false))",
            "--cni-agent-run-dir=\(run.path(percentEncoded: false))", "--skip-install",
        ]
        agent.standardError = FileHandle.nullDevice
        agent.standardOutput = FileHandle.nullDevice
        try agent.run()
        let socket = run.appending(path: "pluginevent.sock").path(percentEncoded: false)
        let deadline = Clock.monotonicMilliseconds() + 10_000
        while !FileManager.default.fileExists(atPath: socket) {
            guard Clock.monotonicMilliseconds() < deadline else { throw BenchmarkFailure("the agent does not start") }
            Clock.sleep(milliseconds: 10)
        }
    }

    func stop() {
        agent.terminate()
        agent.waitUntilExit()
        // What is left is in the temporary directory.
        try? FileManager.default.removeItem(at: directory)
    }

    func add(_ plugin: String, pod: String, _ namespace: CInt) -> ChildProcess {
        let annotations = pod == "mesh" ? #""sidecar.istio.io/status":"{}""# : ""
        let input = """
            {"cniVersion":"1.0.0","name":"pods","type":"istio-cni","plugin_log_level":"warn",
            "cni_agent_run_dir":"\(directory.appending(path: "run").path(percentEncoded: false))",
            "capabilities":{"io.kubernetes.cri.pod-annotations":true},
            "runtimeConfig":{"io.kubernetes.cri.pod-annotations":{\(annotations)}},
            "prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"/x"}],
            "ips":[{"address":"10.88.0.5/16","interface":0}]}}
            """
        return ChildProcess(
            plugin,
            [],
            environment: [
                "CNI_COMMAND=ADD", "CNI_CONTAINERID=bench", "CNI_IFNAME=eth0", "CNI_PATH=/opt/cni/bin",
                "CNI_NETNS=/proc/\(getpid())/fd/\(namespace)",
                "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=\(pod)",
            ],
            standardInput: Array(input.utf8),
            deadlineMilliseconds: 60_000
        )
    }

    private static func pod(_ name: String, isInMesh: Bool) -> String {
        let annotations = isInMesh ? #""sidecar.istio.io/status":"{}""# : ""
        let proxy = isInMesh ? #",{"name":"istio-proxy","args":["proxy","sidecar"]}"# : ""
        return """
            {"apiVersion":"v1","kind":"Pod",
            "metadata":{"name":"\(name)","namespace":"default","uid":"","annotations":{\(annotations)}},
            "spec":{"containers":[{"name":"app"}\(proxy)]}}
            """
    }
}
