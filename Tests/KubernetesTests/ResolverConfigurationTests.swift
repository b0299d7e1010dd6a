import Testing

@testable import Kubernetes

@Suite struct ResolverConfigurationTests {
    @Test func `three name servers are taken at most`() {
        let text = "search a.b\nnameserver 10.0.0.10\n;nameserver 1.1.1.1\nnameserver x\nnameserver fd00::a\n"
        #expect(ResolverConfiguration(text).servers == ["10.0.0.10", "fd00::a"])
        #expect(ResolverConfiguration(text + "nameserver 3.3.3.3\nnameserver 4.4.4.4").servers.count == 3)
    }

    @Test func `without a name server it is this machine`() {
        #expect(ResolverConfiguration("search a").servers == ["127.0.0.1"])
    }
}
