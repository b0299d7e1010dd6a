package import Kubernetes

extension ScriptedServer {
    /// Runs a server, and a client of it, until `body` returns.
    package static func runWithClient<Value>(
        files: MemoryFiles = MemoryFiles(["/token": Array("t1".utf8)]),
        limits: KubernetesClient.Limits = .patient,
        _ body: (ScriptedServer, KubernetesClient) async throws -> Value
    ) async throws -> Value {
        try await run { server in
            let address = try ServerAddress(scheme: .http, host: "127.0.0.1", port: server.port)
            return try await withClient(of: address, files: files, limits: limits) { client in
                try await body(server, client)
            }
        }
    }

    /// A client that finds its token in `/token` and the CA in `/ca`, until `body` returns.
    package static func withClient<Value>(
        of address: ServerAddress,
        files: MemoryFiles,
        limits: KubernetesClient.Limits = .patient,
        namePort: Int = 53,
        _ body: (KubernetesClient) async throws -> Value
    ) async throws -> Value {
        var resolver = NameResolver(readFile: files.read)
        resolver.hostsPath = "/hosts"
        resolver.configurationPath = "/resolv.conf"
        resolver.port = namePort
        resolver.answerLimit = .seconds(20)
        let client = KubernetesClient(
            server: address,
            account: ServiceAccount(tokenPath: "/token", certificatePath: "/ca", readFile: files.read),
            resolver: resolver,
            userAgent: "istio-cni/test",
            limits: limits
        )
        let result: Value
        do {
            result = try await body(client)
        } catch {
            await client.shutDown()
            throw error
        }
        await client.shutDown()
        return result
    }
}

extension KubernetesClient.Limits {
    /// For a machine that runs many tests at once.
    package static var patient: KubernetesClient.Limits {
        var limits = KubernetesClient.Limits()
        limits.request = .seconds(60)
        return limits
    }
}
