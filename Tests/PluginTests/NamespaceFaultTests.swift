import Enforcement
import Foundation
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// Namespaces that are not what the runtime says, or that many want at once.
@Suite(.requiresNetworkNamespaces) struct NamespaceFaultTests {
    @Test(arguments: ["/no/such/namespace", "/etc/hostname", "/proc/self/ns/mnt", "/proc/self/ns/uts", "/tmp"])
    func `what is no network namespace is code 102`(path: String) async throws {
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .plan(RedirectPlan()))

        let outcome = try await PluginCall(namespace: path, runDirectory: directory.path).run()

        agent.stop()
        let error = try outcome.error()
        #expect(error.code == 102)
        #expect(error.msg.contains(path))
        #expect(agent.requests.isEmpty)
    }

    @Test func `the host's namespace is code 8, unless the runtime insists`() async throws {
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .plan(RedirectPlan()))

        let outcome = try await PluginCall(namespace: "/proc/self/ns/net", runDirectory: directory.path).run()

        agent.stop()
        let error = try outcome.error()
        #expect(error.code == 8)
    }

    @Test func `fifty ADDs at once for one namespace all succeed`() async throws {
        try await addFiftyTimes(.nftables)
    }

    @Test(.requiresSeveralUsers) func `fifty ADDs at once with iptables all succeed`() async throws {
        try await addFiftyTimes(.iptables)
    }

    func addFiftyTimes(_ backend: RedirectPlan.Backend) async throws {
        let namespace = try NetworkNamespace.makeNew()
        try RouteSocket(in: namespace).setLoopbackUp()
        let plan = RedirectPlan(backend: backend, interceptionMode: .transparentProxy, redirectsIPv6: true, dns: .all)
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .plan(plan))
        var call = PluginCall(namespace, directory)
        call.waitSeconds = 60
        let one = call

        let endings = try await withThrowingTaskGroup(of: PluginCall.Outcome.self) { group in
            for _ in 0..<50 { group.addTask { try await one.run() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }

        agent.stop()
        #expect(endings.allSatisfy { $0.ending == .exit(0) }, "\(endings.filter { $0.ending != .exit(0) }.prefix(2))")
        let drift = try Enforcer().drift(from: plan, in: namespace)
        #expect(drift.differences == [])
    }

    /// The plugin has opened it by then, and an open namespace lives.
    @Test func `a path that vanishes while the agent thinks changes nothing`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .late(RedirectPlan(), milliseconds: 1_500))
        let script = #"""
            set -e; touch "$0/netns"; mount --bind "$1" "$0/netns"
            { until [ -e "$0/asked" ]; do sleep 0.01; done; umount --lazy "$0/netns"; rm "$0/netns"; } > "$0/trouble" 2>&1 &
            shift; exec "$@"
            """#
        let unshared = ["/usr/bin/unshare", "--mount", "--propagation", "private"]
        var call = PluginCall(namespace, directory)
        call.isolation = unshared + ["/bin/bash", "-c", script, directory.path, call.namespace]
        call.namespace = directory.path("netns")
        call.waitSeconds = 90
        let one = call

        async let running = one.run()
        try await onThread {
            agent.waitForRequest("/v1/add")
            _ = FileManager.default.createFile(atPath: directory.path("asked"), contents: nil)
        }
        let outcome = try await running

        agent.stop()
        #expect(outcome.ending == .exit(0), "\(outcome.output)")
        #expect(!FileManager.default.fileExists(atPath: directory.path("netns")))
        #expect(try Enforcer().drift(from: RedirectPlan(), in: namespace).isEmpty)
    }

    @Test func `an ADD waits for whoever is changing the namespace`() async throws {
        final class Holder: Sendable {
            let namespace: NetworkNamespace
            init(_ path: String) throws {
                namespace = try NetworkNamespace(at: path)
                try namespace.lock(waitMilliseconds: 0)
            }
        }
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .plan(RedirectPlan()))
        let call = PluginCall(namespace, directory)
        var holder: Holder? = try Holder(namespace.pathForOthers)

        async let running = call.run()
        try await onThread {
            agent.waitForRequest("/v1/add")
            Clock.sleep(milliseconds: 300)
        }
        let isAppliedTooEarly = try Enforcer().evidence(in: namespace).isInForce
        #expect(holder != nil)
        holder = nil
        let outcome = try await running

        agent.stop()
        #expect(!isAppliedTooEarly)
        #expect(outcome.ending == .exit(0))
        #expect(try Enforcer().drift(from: RedirectPlan(), in: namespace).isEmpty)
    }

    /// The kernel refuses what belongs to another process (`NFT_TABLE_F_OWNER`).
    @Test func `a refused change is named, and nothing is half applied`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        try RouteSocket(in: namespace).setLoopbackUp()
        let owner = try TableOwner("istio-proxy-nat", in: namespace)
        let before = try await namespace.command("ip", "-o", "addr", "show", "dev", "lo")
        let plan = RedirectPlan(interceptionMode: .transparentProxy, redirectsIPv6: true)
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .plan(plan))

        let outcome = try await PluginCall(namespace, directory).run()

        agent.stop()
        let error = try outcome.error()
        #expect(error.code == 100)
        #expect(error.msg.contains("table inet istio-proxy-nat"))
        let after = try await namespace.command("ip", "-o", "addr", "show", "dev", "lo")
        #expect(after == before)
        let rules = try await namespace.command("ip", "rule")
        #expect(!rules.contains("fwmark"))
        let tables = try await namespace.command("nft", "list", "tables")
        #expect(!tables.contains("istio-proxy-mangle"))
        withExtendedLifetime(owner) {}
    }

    /// What cannot be removed is the other back-end's: the rules of iptables are in place by then.
    @Test(.requiresSeveralUsers) func `a table that stays leaves nothing of iptables behind`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        try RouteSocket(in: namespace).setLoopbackUp()
        let owner = try TableOwner("istio-proxy-nat", in: namespace)
        let directory = try TemporaryDirectory()
        let plan = RedirectPlan(backend: .iptables, interceptionMode: .transparentProxy, redirectsIPv6: true)
        let agent = try ScriptedAgent(in: directory, .plan(plan))

        let outcome = try await PluginCall(namespace, directory).run()

        agent.stop()
        #expect(try outcome.error().code == 100)
        let rules = try await namespace.command("ip", "rule")
        #expect(!rules.contains("fwmark"))
        for program in ["iptables-nft-save", "ip6tables-nft-save"] {
            let saved = try await namespace.command(program)
            #expect(!saved.contains("ISTIO"))
        }
        withExtendedLifetime(owner) {}
    }
}

/// An `nft` that owns a table for as long as it runs.
private final class TableOwner {
    private let process = Process()
    private let input = Pipe()

    init(_ table: String, in namespace: borrowing NetworkNamespace) throws {
        process.executableURL = URL(filePath: "/usr/bin/nsenter")
        process.arguments = ["--net=/proc/\(getpid())/fd/\(namespace.rawDescriptor)", "nft", "-i"]
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data("add table inet \(table) { flags owner; }\n".utf8))
        let socket = try NFTablesSocket(in: namespace)
        let deadline = Clock.monotonicMilliseconds() + 60_000
        while try !socket.tableNames().contains(table) {
            try #require(Clock.monotonicMilliseconds() < deadline, "nft did not make the table")
            Clock.sleep(milliseconds: 5)
        }
    }

    deinit {
        // nft in a terminal of its own does not end at SIGTERM.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
