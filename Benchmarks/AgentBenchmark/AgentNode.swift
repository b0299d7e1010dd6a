import AgentProtocol
import CNIProtocol
import Foundation
import LinuxKernel
import Synchronization

/// A real agent as the chart runs it, that installs its plugin and repairs pods; on a directory of pods, or with an API
/// server that has them.
final class AgentNode: Sendable {
    private let directory: URL
    private let program: BackgroundProgram
    private let process = Mutex<BackgroundProcess?>(nil)
    private let pods: Int

    static let name = "node-1"

    private var socket: String { directory.appending(path: "run/pluginevent.sock").path(percentEncoded: false) }

    init(_ path: String, pods: Int, serverPort: Int? = nil) throws {
        self.pods = pods
        let name = "agent-benchmark-\(UInt32.random(in: .min ... .max))"
        directory = URL(filePath: NSTemporaryDirectory()).appending(path: name)
        let podDirectory = directory.appending(path: "pods")
        try FileManager.default.createDirectory(at: podDirectory, withIntermediateDirectories: true)
        let common = try Self.makeNode(directory, program: path)
        guard let serverPort else {
            for number in 0..<pods {
                try Data(Self.pod(number).utf8).write(to: podDirectory.appending(path: "\(number).json"))
            }
            let source = "--pod-source=directory:\(podDirectory.path(percentEncoded: false))"
            program = BackgroundProgram(path, [source] + common)
            return
        }
        let account = directory.appending(path: "account")
        try FileManager.default.createDirectory(at: account, withIntermediateDirectories: true)
        try Data("token".utf8).write(to: account.appending(path: "token"))
        program = BackgroundProgram(
            path,
            ["--service-account-dir=\(account.path(percentEncoded: false))"] + common,
            environment: [
                "NODE_NAME=\(Self.name)", "POD_NAMESPACE=istio-system", "KUBERNETES_SERVICE_HOST=127.0.0.1",
                "KUBERNETES_SERVICE_PORT=\(serverPort)", "KUBERNETES_SERVICE_PROTOCOL=http",
            ]
        )
    }

    /// Makes a node with a primary CNI.
    ///
    /// - Returns: The flags of an agent that installs there the plugin that lies beside it.
    private static func makeNode(_ directory: URL, program: String) throws -> [String] {
        let path = { (name: String) in directory.appending(path: name).path(percentEncoded: false) }
        for name in ["net.d", "bin"] {
            try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
        }
        try Data(#"{"cniVersion":"1.0.0","name":"pods","plugins":[{"type":"bridge"}]}"#.utf8)
            .write(to: URL(filePath: path("net.d/10-primary.conflist")))
        let image = URL(filePath: program).deletingLastPathComponent().path(percentEncoded: false)
        return [
            "--cni-agent-run-dir=\(path("run"))", "--mounted-cni-net-dir=\(path("net.d"))",
            "--mounted-cni-bin-dir=\(path("bin"))", "--cni-bin-source-dir=\(image)", "--mounted-proc-dir=/proc",
            "--repair-enabled=true", "--repair-repair-pods=true", "--log_output_level=default:error",
            "--health-port=\(Int.random(in: 20_000..<26_000))", "--monitoring-port=\(Int.random(in: 26_000..<32_000))",
        ]
    }

    /// Starts the agent, and returns after how many seconds it says that it is ready.
    func startToReady() throws -> Double {
        let start = Clock.monotonicMicroseconds()
        let started = try program.start()
        process.withLock { process in process = started }
        while Clock.monotonicMicroseconds() - start < 30_000_000 {
            if let status = try? status(), status["ready"]?.bool == true, status["pods"]?.integer == pods {
                return Double(Clock.monotonicMicroseconds() - start) / 1_000_000
            }
            usleep(500)
        }
        throw BenchmarkFailure("the agent is not ready within 30 s")
    }

    /// Memory in KiB, and seconds of processor time that ten seconds of rest cost.
    func atRest() throws -> (resident: Int, anonymous: Int, work: Double) {
        Clock.sleep(milliseconds: 1_000)
        let before = try processorSeconds()
        Clock.sleep(milliseconds: 10_000)
        return (try kibibytes("VmRSS"), try kibibytes("RssAnon"), try processorSeconds() - before)
    }

    /// The seconds that each of `count` requests took that were sent at the same moment.
    func askAtOnce(_ count: Int) throws -> [Double] {
        let times = Mutex<[Double]>([])
        let failures = Mutex<[String]>([])
        let group = DispatchGroup()
        let gate = DispatchSemaphore(value: 0)
        for number in 0..<count {
            group.enter()
            Thread.detachNewThread { [self] in
                gate.wait()
                let start = Clock.monotonicMicroseconds()
                do {
                    _ = try exchange(HTTPRequestText(request(number % max(pods, 1))))
                    let seconds = Double(Clock.monotonicMicroseconds() - start) / 1_000_000
                    times.withLock { times in times.append(seconds) }
                } catch {
                    failures.withLock { failures in failures.append("\(error)") }
                }
                group.leave()
            }
        }
        for _ in 0..<count { gate.signal() }
        group.wait()
        if let first = failures.withLock({ failures in failures.first }) { throw BenchmarkFailure(first) }
        return times.withLock { times in times }
    }

    /// Asks about pods that nobody knows; they wait for an API server that does not answer.
    func askInVain(_ count: Int) -> DispatchGroup {
        let group = DispatchGroup()
        for number in 0..<count {
            group.enter()
            Thread.detachNewThread { [self] in
                var request = request(number)
                request.podName = "unknown-\(number)"
                // It fails, after all: what is measured is what it does to others.
                _ = try? exchange(HTTPRequestText(request))
                group.leave()
            }
        }
        return group
    }

    func stop() {
        process.withLock { process in process }?.end(milliseconds: 10_000)
        // What is left is in the temporary directory.
        try? FileManager.default.removeItem(at: directory)
    }

    private func status() throws -> JSONValue {
        try JSONValue(parsing: try exchange(HTTPRequestText(get: "/v1/status")).body)
    }

    private func exchange(_ request: HTTPRequestText) throws -> HTTPResponse {
        let connection = try UnixSocket(connectingTo: socket, deadlineMilliseconds: 10_000)
        try connection.send(request.bytes, deadlineMilliseconds: 10_000)
        let bytes = try connection.receiveToEnd(byteLimit: HTTPResponse.longestBytes, deadlineMilliseconds: 10_000)
        return try HTTPResponse(bytes, isAtEnd: true)
    }

    private func request(_ number: Int) -> AddRequest {
        AddRequest(
            podNamespace: "shop",
            podName: "cart-\(number)",
            podUID: "uid-\(number)",
            containerID: "c\(number)",
            ips: ["10.0.0.2/24"]
        )
    }

    /// `/proc/PID/status`, proc(5).
    private func kibibytes(_ name: String) throws -> Int {
        let lines = try text("status").split(separator: "\n")
        guard let line = lines.first(where: { line in line.hasPrefix("\(name):") }),
            let number = line.split(whereSeparator: { character in character.isWhitespace }).dropFirst().first,
            let value = Int(number)
        else { throw BenchmarkFailure("no \(name) in /proc/PID/status") }
        return value
    }

    /// Fields 14 and 15 of `/proc/PID/stat` in ticks of 10 ms; the name in field 2 may hold blanks.
    private func processorSeconds() throws -> Double {
        let fields = try text("stat").split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
            throw BenchmarkFailure("/proc/PID/stat is not as proc(5) says")
        }
        return (user + system) / 100
    }

    private func text(_ name: String) throws -> String {
        guard let identifier = process.withLock({ process in process?.identifier }) else {
            throw BenchmarkFailure("the agent does not run")
        }
        return try String(contentsOfFile: "/proc/\(identifier)/\(name)", encoding: .utf8)
    }

    private static func pod(_ number: Int) -> String {
        """
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"cart-\(number)","namespace":"shop","uid":"uid-\(number)",
        "annotations":{"sidecar.istio.io/status":"{}","note":"\(String(repeating: "x", count: 3_000))"}},
        "spec":{"containers":[{"name":"app","image":"registry.example/cart:1"},
        {"name":"istio-proxy","args":["proxy","sidecar"],"env":[{"name":"ISTIO_META_DNS_CAPTURE","value":"true"}]}]},
        "status":{"phase":"Running","podIP":"10.0.0.2","podIPs":[{"ip":"10.0.0.2"}]}}
        """
    }
}
