import LinuxKernel
import RuntimeSupport

/// How fast pods outside the mesh start while the agent is restarted ten times, against a time when it is not.
///
/// Whole chains, `bridge` and `portmap` before the plugin, as a kubelet starts 200 pods at 20 a second, half of them of
/// the mesh. Both kinds of rounds turn about. Usage: UpgradeBenchmark FOLDER-OF-PROGRAMS ROUNDS
@main
enum UpgradeBenchmark {
    private static let pods = 200
    private static let restarts = 10
    private static let pause = Duration.milliseconds(50)

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let rounds = Int(arguments[2]), rounds > 0 else {
            throw TestFailure("usage: UpgradeBenchmark FOLDER-OF-PROGRAMS ROUNDS")
        }
        var calm: [PodStarts.Start] = []
        var upgrading: [PodStarts.Start] = []
        for _ in 1...rounds {
            calm += try await run(arguments[1], restarts: 0)
            upgrading += try await run(arguments[1], restarts: restarts)
        }
        print("| ADD through bridge, portmap and istio-cni | pods | p50 | p99 | longest |")
        print("|---|---|---|---|---|")
        for isInMesh in [false, true] {
            let kind = isInMesh ? "of the mesh" : "outside the mesh"
            print(row("a pod \(kind)", calm, isInMesh))
            print(row("the same, \(restarts) restarts of the agent in \(pods) pods", upgrading, isInMesh))
        }
        let ratio = Quantiles(upgrading, false).p99 / Quantiles(calm, false).p99
        print("\nOutside the mesh, p99 with restarts against none: \(hundredths(ratio))")
    }

    private static func run(_ programs: String, restarts: Int) async throws -> [PodStarts.Start] {
        let node = try NodeFolder(programs: programs)
        defer { node.remove() }
        try node.makeImage()
        try node.writePrimary()
        let pods = try PodStarts(node, pods: pods)
        let startAgent = { try await node.startAgent(waitSeconds: 60, network: pods.hostNetwork) }
        let agent = try await startAgent()
        async let last = restarts == 0 ? agent : pods.restart(agent, times: restarts, startAgent)
        let starts = try await pods.run(.every(pause), restarts: restarts)
        let ending = try await last
        try await ending.end()
        try await pods.end()
        return starts
    }

    private static func row(_ name: String, _ starts: [PodStarts.Start], _ isInMesh: Bool) -> String {
        let times = Quantiles(starts, isInMesh)
        return "| \(name) | \(times.count) | \(hundredths(times.p50)) ms | \(hundredths(times.p99)) ms "
            + "| \(hundredths(times.longest)) ms |"
    }

    /// Two decimals, without Foundation.
    private static func hundredths(_ value: Double) -> String {
        let all = Int((value * 100).rounded())
        let rest = all % 100
        return "\(all / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

/// Times of pods of one kind, in milliseconds.
private struct Quantiles {
    let count: Int
    let p50: Double
    let p99: Double
    let longest: Double

    init(_ starts: [PodStarts.Start], _ isInMesh: Bool) {
        let times = starts.filter { $0.pod.isInMesh == isInMesh }.map { $0.duration / .milliseconds(1) }.sorted()
        count = times.count
        p50 = times[times.count / 2]
        p99 = times[times.count * 99 / 100]
        longest = times[times.count - 1]
    }
}
