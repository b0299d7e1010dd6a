import Testing

@testable import Kubernetes

@Suite struct HostsFileTests {
    static let file = HostsFile(
        "# a comment\n127.0.0.1\tlocalhost\n10.0.0.1  api.example  API2.example # more\r\nfd00::1 api.example\nbad api.example\n\n"
    )

    @Test func `a name has the addresses of all its lines`() {
        #expect(Self.file.addresses(of: "api.example") == ["10.0.0.1", "fd00::1"])
        #expect(Self.file.addresses(of: "localhost") == ["127.0.0.1"])
    }

    @Test func `the case of letters does not matter`() {
        #expect(Self.file.addresses(of: "Api2.Example") == ["10.0.0.1"])
    }

    @Test func `a comment and a part of a name are no names`() {
        #expect(Self.file.addresses(of: "more").isEmpty)
        #expect(Self.file.addresses(of: "api").isEmpty)
        #expect(Self.file.addresses(of: "10.0.0.1").isEmpty)
    }
}
