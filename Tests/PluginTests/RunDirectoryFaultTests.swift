import Enforcement
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// A run directory that cannot be written to, in a mount namespace of the call's own.
@Suite(.requiresNetworkNamespaces) struct RunDirectoryFaultTests {
    enum Fault: String, CaseIterable, Sendable {
        case readOnly
        case full

        /// What puts it in place, with the directory as `$0`; the agent's socket, if there is one, stays reachable.
        var script: String {
            switch self {
            case .readOnly: #"mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && ! touch "$0/x" 2> /dev/null"#
            case .full:
                #"""
                mkdir "$0/outside" && mount --bind "$0" "$0/outside" && cd "$0/outside" \
                    && mount -t tmpfs -o size=64k tmpfs "$0" && mkdir "$0/within" \
                    && { [ ! -e pluginevent.sock ] || { > "$0/pluginevent.sock" \
                    && mount --bind pluginevent.sock "$0/pluginevent.sock"; }; } \
                    && { ! head -c 1M /dev/zero > "$0/filling" 2> /dev/null; }
                """#
            }
        }

        func isolation(_ directory: TemporaryDirectory) -> [String] {
            let unshared = ["/usr/bin/unshare", "--mount", "--propagation", "private"]
            return unshared + ["/bin/bash", "-c", script + #" && exec "$@""#, directory.path]
        }
    }

    @Test(arguments: Fault.allCases)
    func `ADD succeeds with the agent there`(fault: Fault) async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .plan(RedirectPlan()))
        var call = PluginCall(namespace, directory)
        call.isolation = fault.isolation(directory)
        call.waitSeconds = 20

        let outcome = try await call.run()

        agent.stop()
        #expect(outcome.ending == .exit(0), "\(outcome.log)")
        #expect(outcome.output == call.previousResult)
        #expect(try Enforcer().drift(from: RedirectPlan(), in: namespace).isEmpty)
    }

    @Test(arguments: Fault.allCases)
    func `with the agent away the error is the usual one`(fault: Fault) async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        var call = PluginCall(namespace, directory)
        call.isolation = fault.isolation(directory)

        let error = try await call.run().error()

        #expect(error.code == 11)
    }
}
