import HTTPTestSupport
import Kubernetes
import Testing

@Suite struct ServiceAccountTests {
    @Test func `the token is what the file holds now, without its newline`() throws {
        let files = MemoryFiles(["/t": Array("one\n".utf8)])
        let account = ServiceAccount(tokenPath: "/t", certificatePath: "/c", readFile: files.read)
        #expect(try account.token() == "one")

        files.set("/t", "two")

        #expect(try account.token() == "two")
    }

    @Test func `a missing file is named, with what it is for`() {
        let account = ServiceAccount(tokenPath: "/t", certificatePath: "/c", readFile: MemoryFiles().read)

        #expect(
            throws: ConfigurationError(
                "/t",
                "cannot be read, and the service account's token is in it: No such file or directory"
            )
        ) { try account.token() }
        #expect(
            throws: ConfigurationError(
                "/c",
                "cannot be read, and the API server's CA certificate is in it: No such file or directory"
            )
        ) { try account.tlsConfiguration() }
    }

    @Test(arguments: ["", "\n", "a\u{0}b", "ä", "a\u{7F}"])
    func `what cannot stand in a header is no token`(text: String) {
        let files = MemoryFiles(["/t": Array(text.utf8)])
        let account = ServiceAccount(tokenPath: "/t", readFile: files.read)

        #expect(throws: ConfigurationError("/t", "holds no token")) { try account.token() }
    }

    @Test func `a token that is too long is refused`() {
        let files = MemoryFiles(["/t": [UInt8](repeating: UInt8(ascii: "a"), count: 16 * 1_024 + 1)])
        let account = ServiceAccount(tokenPath: "/t", readFile: files.read)

        let error = #expect(throws: ConfigurationError.self) { try account.token() }

        #expect(error?.problem.hasSuffix("File too large") == true)
    }

    @Test(arguments: ["", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", "nonsense"])
    func `a file without a certificate is named`(text: String) {
        let files = MemoryFiles(["/c": Array(text.utf8)])
        let account = ServiceAccount(certificatePath: "/c", readFile: files.read)

        let error = #expect(throws: ConfigurationError.self) { try account.tlsConfiguration() }

        #expect(error?.subject == "/c")
    }
}
