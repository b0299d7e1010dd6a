import Foundation
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// What one ADD costs, in things that can be counted.
@Suite(.requiresNetworkNamespaces) struct AddCountTests {
    /// Everything that makes a process or a program of one.
    static let processCalls = ["execve", "execveat", "fork", "vfork", "clone", "clone3"]

    /// The programs that an ADD for `plan` ran, by name, without the plugin itself, and how many processes it made.
    func trace(_ plan: RedirectPlan) async throws -> (programs: [String], processes: Int) {
        let namespace = try NetworkNamespace.makeNew()
        try RouteSocket(in: namespace).setLoopbackUp()
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .plan(plan))
        let strace = try Strace()
        var call = PluginCall(namespace, directory)
        call.isolation = strace.noting(Self.processCalls)
        call.waitSeconds = 30
        let outcome = try await call.run()
        try await onThread { agent.waitForRequest("/v1/report") }
        agent.stop()
        try #require(outcome.ending == .exit(0), "\(outcome.output)")
        #expect(agent.count("/v1/add") == 1)
        #expect(agent.count("/v1/report") == 1)
        let calls = try strace.calls().filter { $0.first?.isLetter == true }
        let programs = calls.filter { $0.hasPrefix("execve") }.compactMap { line in
            line.split(separator: "\"").dropFirst().first.map { String($0.split(separator: "/").last ?? "") }
        }
        let processes = calls.filter { !$0.hasPrefix("execve") && !$0.contains("CLONE_THREAD") }
        #expect(programs.first == "istio-cni")
        return (Array(programs.dropFirst()), processes.count)
    }

    @Test(arguments: [false, true])
    func `an ADD with nftables makes no process`(isDualStack: Bool) async throws {
        let mode: RedirectPlan.InterceptionMode = isDualStack ? .transparentProxy : .redirect

        let (programs, processes) = try await trace(
            RedirectPlan(interceptionMode: mode, redirectsIPv6: isDualStack, dns: .all)
        )

        #expect(programs == [])
        #expect(processes == 0)
    }

    @Test(.requiresSeveralUsers, arguments: [false, true])
    func `an ADD with iptables in a fresh namespace is one restore a family`(isDualStack: Bool) async throws {
        let (programs, processes) = try await trace(RedirectPlan(backend: .iptables, redirectsIPv6: isDualStack))

        #expect(processes == (isDualStack ? 2 : 1))
        #expect(programs.count == processes)
        #expect(programs.allSatisfy { $0.hasSuffix("-restore") })
        #expect(programs.contains { $0.hasPrefix("ip6tables") } == isDualStack)
    }

    @Test func `a pod outside the mesh makes no process and asks nobody`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .plan(RedirectPlan()))
        let strace = try Strace()
        var call = PluginCall(namespace, directory)
        call.annotations = "{}"
        call.isolation = strace.noting(Self.processCalls + ["connect"])

        let outcome = try await call.run()

        agent.stop()
        #expect(outcome.ending == .exit(0))
        #expect(agent.requests.isEmpty)
        let calls = try strace.calls().filter { $0.first?.isLetter == true }
        #expect(calls.count == 1, "\(calls)")
    }
}
