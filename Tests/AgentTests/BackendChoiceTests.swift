import Agent
import Redirect
import Testing

@Suite struct BackendChoiceTests {
    @Test(
        arguments: [
            (.auto, false, nil, .nftables),
            (.auto, false, "sets", .iptables),
            (.auto, true, nil, .nftables),
            (.iptables, true, nil, .iptables),
            (.nftables, false, "sets", .nftables),
        ] as [(BackendSetting, Bool, String?, RedirectPlan.Backend)]
    )
    func `the kernel decides, unless the environment does`(
        setting: BackendSetting,
        isNative: Bool,
        missing: String?,
        backend: RedirectPlan.Backend
    ) throws {
        #expect(try BackendChoice(setting, isNativeNFTables: isNative) { missing }.backend == backend)
    }

    @Test func `native nftables that the kernel does not take is an error`() {
        #expect(throws: BackendChoice.Failure.nftablesMissing("sets")) {
            try BackendChoice(.auto, isNativeNFTables: true) { "sets" }
        }
    }
}
