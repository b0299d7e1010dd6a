import Kubernetes
import Testing

@Suite struct ServerAddressTests {
    static func environment(_ host: String, _ port: String = "443") -> [String: String] {
        ["KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port]
    }

    @Test(arguments: [
        ("10.96.0.1", "443", "https://10.96.0.1:443", false), ("fd00::1", "6443", "https://[fd00::1]:6443", false),
        ("[fd00::1]", "443", "https://[fd00::1]:443", false),
        ("a.hcp.westeurope.azmk8s.io", "443", "https://a.hcp.westeurope.azmk8s.io:443", true),
    ])
    func `host and port become a URL`(host: String, port: String, url: String, isName: Bool) throws {
        let address = try ServerAddress(environment: Self.environment(host, port))

        #expect(address.url == url)
        #expect(address.isName == isName)
    }

    @Test(arguments: ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"])
    func `a missing variable is named`(name: String) throws {
        for value in [nil, ""] {
            var environment = Self.environment("10.96.0.1")
            environment[name] = value

            let error = #expect(throws: ConfigurationError.self) { try ServerAddress(environment: environment) }

            #expect(error?.subject == name)
            #expect(error?.description.hasPrefix("\(name) is not set") == true)
        }
    }

    @Test(arguments: ["0", "65536", "https", "-1", "4 4"])
    func `a port that is none is refused with what it is`(port: String) {
        #expect(throws: ConfigurationError("KUBERNETES_SERVICE_PORT", "is \"\(port)\": no number 1-65535")) {
            try ServerAddress(environment: Self.environment("10.96.0.1", port))
        }
    }

    @Test(arguments: ["a/b", "user@host", "a b", "::1]", "a?b", "fe80::1%eth0", "ä"])
    func `a host that would be something else in a URL is refused`(host: String) throws {
        let error = #expect(throws: ConfigurationError.self) {
            try ServerAddress(environment: Self.environment(host))
        }

        #expect(error?.subject == "KUBERNETES_SERVICE_HOST")
    }

    @Test func `the protocol can be http, and nothing else`() throws {
        var environment = Self.environment("10.96.0.1")
        environment["KUBERNETES_SERVICE_PROTOCOL"] = "http"
        #expect(try ServerAddress(environment: environment).url == "http://10.96.0.1:443")

        environment["KUBERNETES_SERVICE_PROTOCOL"] = "ftp"
        #expect(throws: ConfigurationError("KUBERNETES_SERVICE_PROTOCOL", "is \"ftp\": neither https nor http")) {
            try ServerAddress(environment: environment)
        }
    }
}
