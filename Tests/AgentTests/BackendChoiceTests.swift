import Agent
import Redirect
import Testing

@Suite struct BackendChoiceTests {
    @Test(
        arguments: [
            ([:], nil, .nftables),
            ([:], "sets", .iptables),
            (["REDIRECT_BACKEND": "", "NATIVE_NFTABLES": "false"], "sets", .iptables),
            (["REDIRECT_BACKEND": "auto", "NATIVE_NFTABLES": "maybe"], "sets", .iptables),
            (["NATIVE_NFTABLES": "true"], nil, .nftables),
            (["REDIRECT_BACKEND": "iptables", "NATIVE_NFTABLES": "true"], nil, .iptables),
            (["REDIRECT_BACKEND": "nftables"], "sets", .nftables),
        ] as [([String: String], String?, RedirectPlan.Backend)]
    )
    func `the kernel decides, unless the environment does`(
        environment: [String: String],
        missing: String?,
        backend: RedirectPlan.Backend
    ) throws {
        #expect(try BackendChoice(environment: environment) { missing }.backend == backend)
    }

    @Test func `native nftables that the kernel does not take is an error`() {
        #expect(throws: BackendChoice.Failure.nftablesMissing("sets")) {
            try BackendChoice(environment: ["NATIVE_NFTABLES": "true"]) { "sets" }
        }
    }

    @Test func `a back-end that is none is refused by name`() {
        #expect(throws: BackendChoice.Failure.unknownBackend("ipvs")) {
            try BackendChoice(environment: ["REDIRECT_BACKEND": "ipvs"]) { nil }
        }
    }
}
