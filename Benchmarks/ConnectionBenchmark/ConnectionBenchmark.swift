import Enforcement
import Foundation
import LinuxKernel
import Redirect

/// Times how long a redirected connection takes to be made, with no exclusion and with a thousand ranges and ports.
///
/// Four pods, turn about: nf_tables and iptables, each without and with exclusions.
@main
enum ConnectionBenchmark {
    static let rounds = 40
    static let connectionsPerRound = 100

    static func main() throws {
        var pods: [BenchmarkPod] = []
        for backend in RedirectPlan.Backend.allCases {
            for exclusions in [0, 1_000] {
                pods.append(try BenchmarkPod(backend, exclusions: exclusions))
            }
        }
        var times = pods.map { _ in [Double]() }
        for _ in 0..<rounds {
            for (index, pod) in pods.enumerated() { times[index] += try pod.connect(connectionsPerRound) }
        }
        print("| Connection set-up | p50 | against none |")
        print("|---|---|---|")
        for (index, pod) in pods.enumerated() {
            let middle = median(times[index])
            let base = median(times[index - index % 2])
            let name = "\(pod.backend.rawValue), \(pod.exclusions) ranges and ports excluded"
            print(
                "| \(name) | \(String(format: "%.1f µs", middle * 1_000_000)) | \(String(format: "%.2f", middle / base)) |"
            )
        }
    }

    private static func median(_ times: [Double]) -> Double {
        times.sorted()[times.count / 2]
    }
}

/// A namespace with an interface and the rules of one plan.
final class BenchmarkPod: Sendable {
    let backend: RedirectPlan.Backend
    let exclusions: Int
    private let namespace: NetworkNamespace
    private let listener: InternetSocket

    init(_ backend: RedirectPlan.Backend, exclusions: Int) throws {
        self.backend = backend
        self.exclusions = exclusions
        let namespace = try NetworkNamespace.makeNew()
        try RouteSocket(in: namespace).setLoopbackUp()
        for words in [
            "link add eth0 type veth peer name outside", "address add 10.1.0.2/24 dev eth0", "link set eth0 up",
            "link set outside up", "route add default via 10.1.0.1",
        ] {
            let program = ChildProcess(
                "/usr/sbin/ip",
                words.split(separator: " ").map(String.init),
                deadlineMilliseconds: 9_000
            )
            let outcome = try program.run(in: namespace)
            guard outcome.isSuccess else { throw BenchmarkFailure("ip \(words): \(outcome)") }
        }
        try Enforcer().apply(Self.plan(backend, exclusions), in: namespace)
        let port = RedirectPlan.ProxyPorts().outbound
        listener = try namespace.run { () throws(KernelError) in
            let socket = try InternetSocket(.tcp, .ipv4, owner: nil)
            try socket.bind(to: SocketEndpoint([0, 0, 0, 0], port: port))
            try socket.listen()
            return socket
        }
        self.namespace = namespace
    }

    /// How long each of `count` connections took, in seconds.
    func connect(_ count: Int) throws -> [Double] {
        let listener = listener
        return try namespace.run { () throws(KernelError) in
            var times: [Double] = []
            for _ in 0..<count {
                let start = Clock.monotonicMicroseconds()
                let socket = try InternetSocket(.tcp, .ipv4, owner: nil)
                try socket.connect(to: SocketEndpoint([203, 0, 113, 10], port: 80), milliseconds: 5_000)
                times.append(Double(Clock.monotonicMicroseconds() - start) / 1_000_000)
                _ = try listener.accept(owner: nil, milliseconds: 5_000)
            }
            return times
        }
    }

    /// Ranges with host bits, every tenth of which holds the next one and touches the one after, so that 800 of 1,000
    /// are left when they are merged; and as many ports.
    private static func plan(_ backend: RedirectPlan.Backend, _ exclusions: Int) -> RedirectPlan {
        RedirectPlan(
            backend: backend,
            excludedOutboundRanges: (0..<exclusions).compactMap { number in
                AddressRange(
                    IPAddress(.ipv4, bits: 0x0B00_0005 + UInt128(number) * 0x400),
                    prefixLength: number % 10 == 0 ? 21 : 23
                )
            },
            excludedOutboundPorts: (0..<exclusions).map { UInt16(20_000 + $0) }
        )
    }
}

struct BenchmarkFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
