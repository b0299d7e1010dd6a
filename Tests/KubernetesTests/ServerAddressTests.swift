import Kubernetes
import Testing

@Suite struct ServerAddressTests {
    @Test(arguments: [
        ("10.96.0.1", 443, "https://10.96.0.1:443", false), ("fd00::1", 6443, "https://[fd00::1]:6443", false),
        ("[fd00::1]", 443, "https://[fd00::1]:443", false),
        ("a.hcp.westeurope.azmk8s.io", 443, "https://a.hcp.westeurope.azmk8s.io:443", true),
    ])
    func `host and port become a URL`(host: String, port: Int, url: String, isName: Bool) throws {
        let address = try ServerAddress(host: host, port: port)

        #expect(address.url == url)
        #expect(address.isName == isName)
    }

    @Test func `a missing host is named`() {
        let error = #expect(throws: ConfigurationError.self) { try ServerAddress(host: "", port: 443) }

        #expect(error?.description.hasPrefix("KUBERNETES_SERVICE_HOST is not set") == true)
    }

    @Test(arguments: [0, -1, 65_536])
    func `a port that is none is refused with what it is`(port: Int) {
        #expect(throws: ConfigurationError("KUBERNETES_SERVICE_PORT", "is \(port): no number 1-65535")) {
            try ServerAddress(host: "10.96.0.1", port: port)
        }
    }

    @Test(arguments: ["a/b", "user@host", "a b", "::1]", "a?b", "fe80::1%eth0", "ä"])
    func `a host that would be something else in a URL is refused`(host: String) throws {
        let error = #expect(throws: ConfigurationError.self) { try ServerAddress(host: host, port: 443) }

        #expect(error?.subject == "KUBERNETES_SERVICE_HOST")
    }

    @Test func `a server without TLS has another URL`() throws {
        #expect(try ServerAddress(scheme: .http, host: "10.96.0.1", port: 443).url == "http://10.96.0.1:443")
    }
}
