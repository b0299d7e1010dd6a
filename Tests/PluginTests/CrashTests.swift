import Enforcement
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// A plugin that crashes still answers the runtime.
@Suite(.requiresNetworkNamespaces) struct CrashTests {
    static let signals = ["SEGV", "ILL", "ABRT", "BUS", "TRAP", "FPE"]

    @Test(arguments: signals)
    func `a crash while it waits for the agent is one CNI error`(signal: String) async throws {
        let namespace = try NetworkNamespace.makeNew()
        let strace = try Strace()
        var call = PluginCall(namespace, try TemporaryDirectory())
        call.waitSeconds = 20
        // It sleeps between two tries.
        call.isolation = strace.sending(signal, at: "clock_nanosleep", 2)

        let outcome = try await call.run()

        let error = try outcome.error()
        #expect(error.code == 105)
        #expect(outcome.milliseconds < 10_000)
        #expect(try strace.calls().contains { $0.contains("SIG\(signal)") })
    }

    @Test func `a crash after the answer does not take it back`() async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .plan(RedirectPlan()))
        let strace = try Strace()
        var call = PluginCall(namespace, directory)
        // The second connection is for the report.
        call.isolation = strace.sending("SEGV", at: "connect", 2)

        let outcome = try await call.run()

        agent.stop()
        #expect(try strace.calls().contains { $0.contains("SIGSEGV") })
        #expect(outcome.ending == .exit(0))
        #expect(outcome.output == call.previousResult)
        #expect(try Enforcer().drift(from: RedirectPlan(), in: namespace).isEmpty)
    }
}
