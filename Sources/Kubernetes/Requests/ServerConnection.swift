internal import AsyncHTTPClient
internal import NIOCore
internal import Synchronization

/// The connections to one API server.
///
/// HTTP/1.1, so that requests do not share a connection: one that hangs holds up itself only.
final class ServerConnection: Sendable {
    /// A server in the same cluster answers in a millisecond; behind a balancer it may be another continent.
    private static let connectLimit = TimeAmount.seconds(5)

    /// Below what balancers and servers keep an idle connection for (a minute and more), so that none is
    /// taken that the other end is about to close.
    private static let idleLimit = TimeAmount.seconds(30)

    /// A watch, the pool of live look-ups, events, and what repair asks at the same time.
    private static let mostConnections = 16

    let server: ServerAddress
    private let resolver: NameResolver
    private let state: Mutex<State>

    private struct State {
        /// By what the host's name was resolved to; by "" for a host that is an address.
        var clients: [String: HTTPClient] = [:]
        var address: String?

        /// Attempts that failed since the last that did not: the next address of a name is tried.
        var failures = 0
        var isShutDown = false
    }

    /// The most addresses of one name that are kept; beyond it requests to the others are cut, and sent again.
    private static let mostAddresses = 8

    init(server: ServerAddress, resolver: NameResolver) {
        self.server = server
        self.resolver = resolver
        state = Mutex(State())
    }

    /// Sends a request, and returns when its answer begins.
    func execute(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        let client = try await client()
        do {
            // The caller's own limit ends it sooner.
            let response = try await client.execute(request, deadline: .distantFuture)
            state.withLock { state in state.failures = 0 }
            return response
        } catch {
            if !Task.isCancelled { state.withLock { state in state.failures += 1 } }
            throw error
        }
    }

    /// The client for the server's address.
    ///
    /// A name is resolved at first and after a request has failed, since a client keeps the address for its life.
    private func client() async throws -> HTTPClient {
        guard server.isName else { return try client(for: "") }
        let (known, failures) = state.withLock { state in (state.address, state.failures) }
        if let known, failures == 0 { return try client(for: known) }
        let addresses: [String]
        do throws(NameError) {
            addresses = try await resolver.addresses(of: server.host)
        } catch {
            // The name servers may be away, and the server may be back where it was.
            guard let known else { throw error }
            return try client(for: known)
        }
        return try client(for: addresses[failures % addresses.count])
    }

    private func client(for address: String) throws -> HTTPClient {
        let (client, surplus) = try state.withLock { state throws(CancellationError) in
            guard !state.isShutDown else { throw CancellationError() }
            state.address = address
            if let client = state.clients[address] { return (client, [HTTPClient]()) }
            let client = makeClient(address)
            let surplus = state.clients.count < Self.mostAddresses ? [] : Array(state.clients.values)
            if !surplus.isEmpty { state.clients = [:] }
            state.clients[address] = client
            return (client, surplus)
        }
        // Not this request's to wait for.
        if !surplus.isEmpty { Task { await Self.shutDown(surplus) } }
        return client
    }

    /// Ends all requests, and sends no more.
    func shutDown() async {
        let clients = state.withLock { state in
            state.isShutDown = true
            defer { state.clients = [:] }
            return Array(state.clients.values)
        }
        await Self.shutDown(clients)
    }

    private static func shutDown(_ clients: [HTTPClient]) async {
        // The only error is that a client was shut down before.
        for client in clients { try? await client.shutdown() }
    }

    private func makeClient(_ address: String) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.httpVersion = .http1Only
        // A server that sends the agent elsewhere would get its token there.
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = Self.connectLimit
        configuration.connectionPool.idleTimeout = Self.idleLimit
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.mostConnections
        // Who asked decides about another attempt, and when.
        configuration.connectionPool.retryConnectionEstablishment = false
        // The static executable has no getaddrinfo. TLS still asks for the name and checks it.
        if !address.isEmpty { configuration.dnsOverride = [server.host: address] }
        configuration.http1_1ConnectionDebugInitializer = Self.watchOver
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Notices a server that is gone without a word within a minute, so that a watch does not wait for nothing (`tcp(7)`).
    private static func watchOver(_ channel: any Channel) -> EventLoopFuture<Void> {
        let options: [(NIOBSDSocket.Option, Int)] = [
            (NIOBSDSocket.Option(rawValue: 4), 30),  // TCP_KEEPIDLE, seconds
            (NIOBSDSocket.Option(rawValue: 5), 10),  // TCP_KEEPINTVL, seconds
            (NIOBSDSocket.Option(rawValue: 6), 3),  // TCP_KEEPCNT
            (NIOBSDSocket.Option(rawValue: 18), 30_000),  // TCP_USER_TIMEOUT, milliseconds
        ]
        let settings =
            [channel.setOption(ChannelOptions.socketOption(.so_keepalive), value: 1)]
            + options.map { option, value in channel.setOption(ChannelOptions.tcpOption(option), value: value) }
        return EventLoopFuture.andAllSucceed(settings, on: channel.eventLoop)
    }
}
