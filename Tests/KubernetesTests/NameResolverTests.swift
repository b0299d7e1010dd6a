import HTTPTestSupport
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Kubernetes

/// A name server on a port of its own.
final class NameServer: ChannelInboundHandler, Sendable {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    /// Makes the messages that answer a question, which begins with its id.
    let answer: @Sendable (_ question: [UInt8]) -> [[UInt8]]
    let questions = Mutex(0)

    init(answer: @escaping @Sendable ([UInt8]) -> [[UInt8]]) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let message = unwrapInboundIn(data)
        questions.withLock { count in count += 1 }
        for bytes in answer(Array(message.data.readableBytesView)) {
            let envelope = AddressedEnvelope(remoteAddress: message.remoteAddress, data: ByteBuffer(bytes: bytes))
            context.writeAndFlush(wrapOutboundOut(envelope), promise: nil)
        }
    }

    /// Runs it until `body` returns.
    func run<Value>(_ body: (_ port: Int) async throws -> Value) async throws -> Value {
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { [self] channel in channel.pipeline.addHandler(self) }
            .bind(host: "127.0.0.1", port: 0).get()
        let result: Value
        do {
            result = try await body(channel.localAddress?.port ?? 0)
        } catch {
            try await channel.close().get()
            throw error
        }
        try await channel.close().get()
        return result
    }

    /// An answer to a question: the question itself, and one address where the family is IPv4.
    static func message(_ question: [UInt8], flags: [UInt8] = [0x81, 0x80], addresses: [[UInt8]]) -> [UInt8] {
        let isIPv4 = Array(question.suffix(4)) == [0, 1, 0, 1]
        let records = isIPv4 ? addresses : []
        return Array(question.prefix(2)) + flags + [0, 1, 0, UInt8(records.count), 0, 0, 0, 0] + question.dropFirst(12)
            + records.flatMap { address in [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4] + address }
    }
}

@Suite struct NameResolverTests {
    static func resolver(_ port: Int, hosts: String = "", servers: [String] = ["127.0.0.1"]) -> NameResolver {
        let files = MemoryFiles()
        files.set("/hosts", hosts)
        files.set("/resolv.conf", servers.map { "nameserver \($0)\n" }.joined())
        var resolver = NameResolver(readFile: files.read)
        resolver.hostsPath = "/hosts"
        resolver.configurationPath = "/resolv.conf"
        resolver.port = port
        resolver.answerLimit = .seconds(30)
        return resolver
    }

    @Test func `a name in the hosts file is not asked for`() async throws {
        let server = NameServer { _ in [] }
        try await server.run { port in
            let addresses = try await Self.resolver(port, hosts: "10.0.0.1 api.example").addresses(of: "api.example")

            #expect(addresses == ["10.0.0.1"])
            #expect(server.questions.withLock { $0 } == 0)
        }
    }

    @Test func `a name server is asked for both families`() async throws {
        let server = NameServer { question in [NameServer.message(question, addresses: [[10, 0, 0, 7]])] }
        try await server.run { port in
            let addresses = try await Self.resolver(port).addresses(of: "api.example")

            #expect(addresses == ["10.0.0.7"])
            #expect(server.questions.withLock { $0 } == 2)
        }
    }

    @Test func `answers with another id or to another question do not count`() async throws {
        let server = NameServer { question in
            var forged = NameServer.message(question, addresses: [[6, 6, 6, 6]])
            forged[0] ^= 1
            return [forged, NameServer.message(question, addresses: [[10, 0, 0, 7]])]
        }
        try await server.run { port in
            let addresses = try await Self.resolver(port).addresses(of: "api.example")

            #expect(addresses == ["10.0.0.7"])
        }
    }

    @Test func `a name server that says nothing is an error in time`() async throws {
        let server = NameServer { _ in [] }
        try await server.run { port in
            var resolver = Self.resolver(port)
            resolver.answerLimit = .milliseconds(100)

            let error = await #expect(throws: NameError.self) { try await resolver.addresses(of: "api.example") }

            #expect(error?.reasons.count == 5)
            #expect(error?.reasons.last == "name server 127.0.0.1: no answer within 0.1 seconds")
        }
    }

    @Test func `a name that nobody knows is an error with what each server said`() async throws {
        let server = NameServer { question in [NameServer.message(question, flags: [0x81, 0x83], addresses: [])] }
        try await server.run { port in
            let error = await #expect(throws: NameError.self) {
                try await Self.resolver(port).addresses(of: "api.example")
            }

            #expect(
                error?.description.hasPrefix(
                    "the host name api.example cannot be resolved: /hosts does not have it; name server 127.0.0.1: no such name"
                ) == true
            )
        }
    }

    @Test func `the next name server is asked when one does not answer`() async throws {
        let server = NameServer { question in [NameServer.message(question, addresses: [[10, 0, 0, 7]])] }
        try await server.run { port in
            // Nobody listens there: the kernel says so at once.
            let resolver = Self.resolver(port, servers: ["127.0.0.2", "127.0.0.1"])

            let addresses = try await resolver.addresses(of: "api.example")

            #expect(addresses == ["10.0.0.7"])
        }
    }

    @Test func `an API server with a name is found over DNS`() async throws {
        let server = NameServer { question in [NameServer.message(question, addresses: [[127, 0, 0, 1]])] }
        try await server.run { port in
            try await ScriptedServer.run { api in
                api.put(TestPod.object("cart"))
                let files = MemoryFiles(["/token": [0x61]])
                files.set("/hosts", "")
                files.set("/resolv.conf", "nameserver 127.0.0.1")
                let address = try ServerAddress(scheme: .http, host: "api.example", port: api.port)
                try await ScriptedServer.withClient(of: address, files: files, namePort: port) { client in
                    let pod = try #require(ResourcePath.pod("cart", in: "shop"))
                    _ = try await client.get(pod)
                    _ = try await client.get(pod)
                }
                #expect(
                    api.requests.map { $0.headers["host"] } == Array(repeating: "api.example:\(api.port)", count: 2)
                )
            }
            #expect(server.questions.withLock { $0 } == 2)
        }
    }

    @Test func `after a failed connection the name is resolved again`() async throws {
        try await ScriptedServer.run { api in
            api.put(TestPod.object("cart"))
            let files = MemoryFiles(["/token": [0x61]])
            // Nobody listens at the first address.
            files.set("/hosts", "127.0.0.2 api.example")
            let address = try ServerAddress(scheme: .http, host: "api.example", port: api.port)
            try await ScriptedServer.withClient(of: address, files: files) { client in
                let pod = try #require(ResourcePath.pod("cart", in: "shop"))
                await #expect(throws: APIError.self) { try await client.get(pod) }

                files.set("/hosts", "127.0.0.1 api.example")

                _ = try await client.get(pod)
            }
        }
    }

    @Test func `the second address of a name is tried after the first`() async throws {
        try await ScriptedServer.run { api in
            api.put(TestPod.object("cart"))
            let files = MemoryFiles(["/token": [0x61]])
            files.set("/hosts", "127.0.0.2 api.example\n127.0.0.1 api.example")
            let address = try ServerAddress(scheme: .http, host: "api.example", port: api.port)
            try await ScriptedServer.withClient(of: address, files: files) { client in
                let pod = try #require(ResourcePath.pod("cart", in: "shop"))
                await #expect(throws: APIError.self) { try await client.get(pod) }

                _ = try await client.get(pod)
            }
        }
    }

    /// Runs `body` with a client of a name that has two addresses, and a server at each.
    static func withTwoAddresses(
        limits: KubernetesClient.Limits = .patient,
        _ body: (KubernetesClient, _ first: ScriptedServer, _ second: ScriptedServer) async throws -> Void
    ) async throws {
        try await ScriptedServer.run { second in
            let first = try await ScriptedServer.start(host: "127.0.0.2", port: second.port)
            let files = MemoryFiles(["/token": [0x61]])
            files.set("/hosts", "127.0.0.2 api.example\n127.0.0.1 api.example")
            let address = try ServerAddress(scheme: .http, host: "api.example", port: second.port)
            do {
                try await ScriptedServer.withClient(of: address, files: files, limits: limits) { client in
                    try await body(client, first, second)
                }
            } catch {
                await first.stop()
                throw error
            }
            await first.stop()
        }
    }

    @Test func `an address that takes requests and answers none is left`() async throws {
        try await Self.withTwoAddresses { client, first, second in
            first.always(.hang)
            second.put(TestPod.object("cart"))
            let pod = try #require(ResourcePath.pod("cart", in: "shop"))

            // Two at once: they failed at the same address, and together count once.
            let hung = (0..<2).map { _ in Task { try await client.get(pod, within: .milliseconds(500)) } }
            for task in hung {
                let error = await #expect(throws: APIError.self) { try await task.value }
                #expect(error?.problem == .timedOut(after: .milliseconds(500)))
            }

            _ = try await client.get(pod)
            #expect(second.requests.count == 1)
        }
    }

    @Test func `an address whose watch falls silent is left`() async throws {
        var limits = KubernetesClient.Limits.patient
        limits.watchSilence = .milliseconds(300)
        try await Self.withTwoAddresses(limits: limits) { client, first, second in
            second.put(TestPod.object("cart"))
            await #expect(throws: APIError.self) {
                try await client.watch(.pods(onNode: "n"), from: "1", seconds: 300) {
                } event: { _ in
                }
            }

            _ = try await client.get(try #require(ResourcePath.pod("cart", in: "shop")))

            #expect(first.requests.map(\.isWatch) == [true])
            #expect(second.requests.map(\.isWatch) == [false])
        }
    }
}
