import Enforcement
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// An ADD that is killed, and the one that the runtime makes after it.
@Suite(.requiresNetworkNamespaces) struct KilledAddTests {
    /// A place in an ADD: just before the n-th such call of a thread.
    struct Point: Hashable, Sendable {
        let call: String
        let number: Int
    }

    /// The calls by which an ADD does what it does.
    static let calls = [
        "openat", "fstatfs", "ioctl", "socket", "connect", "getsockopt", "setsockopt", "poll", "sendto", "read",
        "recvfrom", "flock", "clone3", "setns", "close", "write", "sigaltstack",
    ]

    /// The dynamic linker opens, reads and closes its files with the first of these calls.
    static let ofLinker: Set<String> = ["openat", "read", "close"]

    static let mostOfOneCall = 12

    static func plan(_ backend: RedirectPlan.Backend) -> RedirectPlan {
        RedirectPlan(backend: backend, interceptionMode: .transparentProxy, redirectsIPv6: true, dns: .all)
    }

    @Test func `killed anywhere, the next ADD completes the rules`() async throws {
        let plan = Self.plan(.nftables)
        let points = try await Self.points(plan)

        let outcomes = try await withThrowingTaskGroup(of: Outcome.self) { group in
            for point in points { group.addTask { try await Self.killAndRepeat(at: point, plan) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }

        // strace mimics the end of what it traced; where it may not, it says so by its status.
        let killed = outcomes.filter { $0.killed == .signal(9) || $0.killed == .exit(128 + 9) }
        print("\(killed.count) of \(points.count) ADDs were killed")
        let others = Set(outcomes.map { "\($0.killed): \($0.log.suffix(300))" })
        #expect(killed.count >= 40, "of \(points.count) points; ended otherwise: \(Array(others.prefix(3)))")
        let wrong = outcomes.filter { !$0.isComplete }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }

    /// With iptables most of the work is a child's, which dies in the same way.
    @Test(.requiresSeveralUsers) func `killed anywhere, the next ADD completes the rules of iptables`() async throws {
        let plan = Self.plan(.iptables)
        let points =
            (1...5).map { Point(call: "poll", number: 4 * $0) } + (1...6).map { Point(call: "sendto", number: 2 * $0) }
            + (1...2).map { Point(call: "wait4", number: $0) } + (1...3).map { Point(call: "clone", number: $0) }
            + [Point(call: "execve", number: 2), Point(call: "flock", number: 1), Point(call: "setns", number: 1)]

        let outcomes = try await withThrowingTaskGroup(of: Outcome.self) { group in
            for point in points { group.addTask { try await Self.killAndRepeat(at: point, plan) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }

        let disturbed = outcomes.filter { $0.killed != .exit(0) }
        print("\(disturbed.count) of \(points.count) ADDs with iptables were killed")
        #expect(disturbed.count >= 8, "of \(points.count) points")
        let wrong = outcomes.filter { !$0.isComplete }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }

    /// The child goes on after the plugin is gone; the next ADD must not work beside it.
    @Test(.requiresSeveralUsers) func `an iptables that outlives its plugin does not spoil the next ADD`() async throws
    {
        let plan = RedirectPlan(backend: .iptables)
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .plan(plan))
        var call = PluginCall(namespace, directory)
        call.waitSeconds = 20
        let whole = call
        call.isolation = ["/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/bash", "-c"]
        call.isolation += [Self.slowRestore, directory.path]

        let first = try await call.run()
        let second = try await whole.run()
        try await onThread { Clock.sleep(milliseconds: 1_500) }

        agent.stop()
        #expect(first.ending == .exit(77), "\(first.log)")
        #expect(second.ending == .exit(0), "\(second.output)")
        let drift = try Enforcer().drift(from: plan, in: namespace)
        #expect(drift.differences == [])
    }

    /// Runs a plugin whose iptables takes a second, and kills it while that runs.
    static let slowRestore = #"""
        set -e
        program=$(readlink -f /usr/sbin/iptables-nft-restore); cp "$program" "$0/copy"
        printf '#!/bin/bash\ncase $0 in *-restore) echo > %s/started; sleep 1;; esac\n' "$0" > "$0/slow"
        printf 'exec -a "$0" %s/copy "$@"\n' "$0" >> "$0/slow"
        chmod +x "$0/slow"; mount --bind "$0/slow" "$program"
        "$@" <&0 & plugin=$!
        until [ -e "$0/started" ]; do sleep 0.01; done
        kill -KILL $plugin; wait $plugin || exit 77
        """#

    @Test func `calls are counted by thread, however short the thread's number is`() {
        let lines = """
            12345 connect(3, "x") = 0
            99    connect(3, "x") = 0
            99    connect(3, "y" <unfinished ...>
            99    <... connect resumed>) = 0
            7     close(3) = 0
            7     +++ exited with 0 +++
            """

        #expect(Strace.counts(lines) == ["connect": 2, "close": 1])
    }

    struct Outcome: Sendable {
        let point: Point

        /// How the first ADD ended.
        let killed: ChildProcess.Ending
        let second: ChildProcess.Ending

        /// What strace and the first ADD said.
        let log: String
        let differences: [String]

        /// How many rules for the mark there are, of both families, and how many addresses `::6`.
        let markRules: Int
        let addresses: Int

        var isComplete: Bool { second == .exit(0) && differences.isEmpty && markRules == 2 && addresses == 1 }
    }

    /// Every place of a whole ADD that can be killed at, a few of each call.
    static func points(_ plan: RedirectPlan) async throws -> [Point] {
        let namespace = try NetworkNamespace.makeNew()
        try RouteSocket(in: namespace).setLoopbackUp()
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .plan(plan))
        let strace = try Strace()
        var call = PluginCall(namespace, directory)
        call.isolation = strace.noting(calls)
        call.waitSeconds = 30
        let outcome = try await call.run()
        agent.stop()
        try #require(outcome.ending == .exit(0), "\(outcome.output)")
        return try strace.counts().sorted { $0.key < $1.key }.flatMap { name, count in
            let first = ofLinker.contains(name) ? max(1, count - mostOfOneCall + 1) : 1
            return (first...max(first, min(count, first + mostOfOneCall - 1))).map { Point(call: name, number: $0) }
        }
    }

    static func killAndRepeat(at point: Point, _ plan: RedirectPlan) async throws -> Outcome {
        let namespace = try NetworkNamespace.makeNew()
        let routes = try RouteSocket(in: namespace)
        try routes.setLoopbackUp()
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .plan(plan))
        let strace = try Strace()
        var call = PluginCall(namespace, directory)
        call.waitSeconds = 30
        let whole = call
        call.isolation = strace.sending("KILL", at: point.call, point.number)

        let first = try await call.run()
        let second = try await whole.run()

        agent.stop()
        return Outcome(
            point: point,
            killed: first.ending,
            second: second.ending,
            log: first.log,
            differences: try Enforcer().drift(from: plan, in: namespace).differences,
            markRules: try [InternetFamily.ipv4, .ipv6].map { family in
                try routes.markRules(family).count { $0.mark == plan.transparentProxy.mark }
            }.reduce(0, +),
            addresses: try routes.addresses().count { $0.address == [UInt8](repeating: 0, count: 15) + [6] }
        )
    }
}
