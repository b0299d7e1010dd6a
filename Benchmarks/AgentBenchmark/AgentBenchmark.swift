import AgentProtocol
import CNIProtocol
import Foundation
import HTTPTestSupport
import LinuxKernel
import Synchronization

/// What one agent costs its node: the time from its start until it is ready, its memory, its work while nothing
/// happens, and the time of a look-up when a hundred ask at once.
@main
enum AgentBenchmark {
    static func main() async throws {
        guard CommandLine.arguments.count == 3, let rounds = Int(CommandLine.arguments[2]), rounds > 0 else {
            throw BenchmarkFailure("usage: AgentBenchmark INSTALL-CNI ROUNDS")
        }
        let program = CommandLine.arguments[1]

        // Turn about: a busy moment of the machine hits all sizes alike.
        var starts: [Int: [Double]] = [:]
        for _ in 0..<rounds {
            for pods in [0, 110, 1_000] {
                let node = try AgentNode(program, pods: pods)
                starts[pods, default: []].append(try node.startToReady())
                node.stop()
            }
        }
        print("| Pods | start to ready, p50 | p99 | resident | of it anonymous | CPU in 10 s at rest |")
        print("|---|---|---|---|---|---|")
        for pods in starts.keys.sorted() {
            let times = starts[pods] ?? []
            let node = try AgentNode(program, pods: pods)
            _ = try node.startToReady()
            let rest = try node.atRest()
            node.stop()
            print(
                "| \(pods) | \(milliseconds(percentile(times, 0.5))) | \(milliseconds(percentile(times, 0.99))) "
                    + "| \(mebibytes(rest.resident)) | \(mebibytes(rest.anonymous)) | \(milliseconds(rest.work)) |"
            )
        }
        try await lookups(program)
    }

    /// A hundred plugins that ask at the same moment, again and again; turn about with and without eight live GETs that
    /// hang at the API server.
    private static func lookups(_ program: String) async throws {
        try await ScriptedServer.run { server in
            for number in 0..<110 {
                server.put(TestPod.object("cart-\(number)", uid: "uid-\(number)", node: AgentNode.name))
            }
            server.always(.hang, containing: "/pods/unknown")
            let node = try AgentNode(program, pods: 110, serverPort: server.port)
            defer { node.stop() }
            _ = try node.startToReady()
            var times: [Double] = []
            var timesWhileHanging: [Double] = []
            for _ in 0..<20 {
                times += try node.askAtOnce(100)
                let hanging = node.askInVain(8)
                timesWhileHanging += try node.askAtOnce(100)
                hanging.wait()
            }
            print("")
            print("| Look-ups of pods that the agent knows, 100 at once | p50 | p99 | against none |")
            print("|---|---|---|---|")
            row("no live GET", times, times)
            row("8 live GETs hang", timesWhileHanging, times)
        }
    }

    private static func row(_ name: String, _ times: [Double], _ base: [Double]) {
        let ratio = String(format: "%.2f", percentile(times, 0.99) / percentile(base, 0.99))
        print(
            "| \(name) | \(milliseconds(percentile(times, 0.5))) | \(milliseconds(percentile(times, 0.99))) | \(ratio) |"
        )
    }

    private static func milliseconds(_ seconds: Double) -> String { String(format: "%.1f ms", seconds * 1_000) }

    private static func mebibytes(_ kibibytes: Int) -> String { String(format: "%.1f MiB", Double(kibibytes) / 1_024) }

    private static func percentile(_ times: [Double], _ part: Double) -> Double {
        let sorted = times.sorted()
        return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
    }
}

struct BenchmarkFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
