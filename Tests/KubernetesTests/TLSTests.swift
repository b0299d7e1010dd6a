import HTTPTestSupport
import Kubernetes
import Testing

@Suite struct TLSTests {
    static func pod() throws -> ResourcePath { try #require(ResourcePath.pod("cart", in: "shop")) }

    /// Asks a server with a certificate for these names for a pod, and returns what went wrong.
    static func ask(
        _ host: String,
        certificateFor names: [String],
        hosts: String = "",
        trust other: TestCertificates? = nil
    ) async throws -> APIError? {
        let certificates = try await TestCertificates.make(for: names)
        defer { try? certificates.remove() }  // Under /tmp, which is cleared anyway.
        return try await ScriptedServer.run(certificates: certificates) { server in
            server.put(TestPod.object("cart"))
            let files = MemoryFiles(["/token": [0x61], "/ca": try (other ?? certificates).authority])
            files.set("/hosts", hosts)
            let address = try ServerAddress(host: host, port: server.port)
            let pod = try pod()
            return try await ScriptedServer.withClient(of: address, files: files) { client in
                do throws(APIError) {
                    _ = try await client.get(pod)
                    return nil
                } catch {
                    return error
                }
            }
        }
    }

    @Test func `a server that the CA vouches for is asked`() async throws {
        #expect(try await Self.ask("127.0.0.1", certificateFor: ["IP:127.0.0.1"]) == nil)
    }

    @Test func `a name is connected by its address and checked by its name`() async throws {
        let error = try await Self.ask(
            "api.example",
            certificateFor: ["DNS:api.example"],
            hosts: "127.0.0.1 api.example"
        )

        #expect(error == nil)
    }

    @Test(arguments: [("127.0.0.1", "IP:127.0.0.2"), ("api.example", "DNS:other.example")])
    func `a certificate for another name is refused`(host: String, name: String) async throws {
        let error = try await Self.ask(host, certificateFor: [name], hosts: "127.0.0.1 api.example")

        guard case .unreachable = error?.problem else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `a server of another CA is refused`() async throws {
        let other = try await TestCertificates.make(for: ["IP:127.0.0.1"])
        defer { try? other.remove() }  // Under /tmp, which is cleared anyway.

        let error = try await Self.ask("127.0.0.1", certificateFor: ["IP:127.0.0.1"], trust: other)

        guard case .unreachable(let reason) = error?.problem else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains("CERTIFICATE_VERIFY_FAILED"))
    }

    @Test func `a new CA holds from the next request on`() async throws {
        let (old, new) = (
            try await TestCertificates.make(for: ["IP:127.0.0.1"]),
            try await TestCertificates.make(for: ["IP:127.0.0.1"])
        )
        defer {
            try? old.remove()  // Under /tmp, which is cleared anyway.
            try? new.remove()
        }
        try await ScriptedServer.run(certificates: new) { server in
            server.put(TestPod.object("cart"))
            let files = MemoryFiles(["/token": [0x61], "/ca": try old.authority])
            let address = try ServerAddress(host: "127.0.0.1", port: server.port)
            try await ScriptedServer.withClient(of: address, files: files) { client in
                await #expect(throws: APIError.self) { try await client.get(Self.pod()) }

                files.set("/ca", try new.authority)

                _ = try await client.get(Self.pod())
            }
        }
    }
}
