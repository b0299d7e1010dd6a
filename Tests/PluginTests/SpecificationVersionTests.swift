import Conformance
import Foundation
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// Each version of the specification, with a `prevResult` of its family.
@Suite(.tags(.s7, .s34), .requiresNetworkNamespaces) struct SpecificationVersionTests {
    static let versions = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]

    @Test(arguments: versions)
    func `ADD hands prevResult back byte for byte, CHECK sees what is in force, DEL succeeds`(
        version: String
    ) async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .plan(RedirectPlan()))
        var call = PluginCall(namespace, directory)
        call.version = version
        call.previousResult = PluginCall.previousResult(version)

        let added = try await call.run()
        call.command = "CHECK"
        let checked = try await call.run()
        _ = try await namespace.command("nft", "flush", "chain", "inet", "istio-proxy-nat", "istio-output")
        let changed = try await call.run()
        call.command = "DEL"
        let deleted = try await call.run()

        agent.stop()
        #expect(added.ending == .exit(0))
        #expect(added.output == call.previousResult)
        #expect(deleted.ending == .exit(0) && deleted.output == "")
        let refusal = try changed.error()
        if version < "0.4.0" {
            #expect(refusal.code == 1)
        } else {
            #expect(checked.ending == .exit(0) && checked.output == "")
            #expect(refusal.code == 104)
            #expect(refusal.details?.contains("istio-output") == true)
        }
        #expect(refusal.cniVersion == version)
    }

    @Test(arguments: ["0.3.1", "1.1.0"])
    func `without prevResult the addresses of the namespace count, and the result says the version`(
        version: String
    ) async throws {
        let namespace = try NetworkNamespace.makeNew()
        let directory = try TemporaryDirectory()
        let agent = try ScriptedAgent(in: directory, .plan(RedirectPlan()))
        var call = PluginCall(namespace, directory)
        call.version = version
        call.previousResult = nil

        let outcome = try await call.run()

        agent.stop()
        let result = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: String]
        #expect(result == ["cniVersion": version])
    }

    @Test func `a result of another family is refused by name`() async throws {
        var call = PluginCall(namespace: "/proc/self/ns/net")
        call.previousResult = PluginCall.previousResult("0.2.0")

        let error = try await call.run().error()

        #expect(error.code == 1)
        #expect(error.msg.contains("prevResult"))
    }
}
