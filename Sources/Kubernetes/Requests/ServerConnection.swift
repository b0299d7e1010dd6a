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

        /// Whether a request to this address failed, and none has succeeded since: the next address of the name is tried.
        var hasFailed = false
        var isShutDown = false
    }

    /// The most addresses of one name that are kept; beyond it requests to the others are cut, and sent again.
    private static let mostAddresses = 8

    init(server: ServerAddress, resolver: NameResolver) {
        self.server = server
        self.resolver = resolver
        state = Mutex(State())
    }

    /// Sends a request, and returns when its answer begins; `route` is told which way it went.
    func execute(_ request: HTTPClientRequest, _ route: Route) async throws -> HTTPClientResponse {
        let (client, address) = try await client()
        route.address.withLock { taken in taken = address }
        do {
            // The caller's own limit ends it sooner.
            let response = try await client.execute(request, deadline: .distantFuture)
            state.withLock { state in if state.address == address { state.hasFailed = false } }
            return response
        } catch {
            // Whoever cancels it knows why, and says so if it is the server's fault.
            if !Task.isCancelled { failed(route) }
            throw error
        }
    }

    /// Notes that a request came to nothing; one to an address that has been left since says nothing about the next.
    func failed(_ route: Route) {
        let address = route.address.withLock { taken in taken }
        state.withLock { state in if state.address == address { state.hasFailed = true } }
    }

    /// The client for the server's address.
    ///
    /// A name is resolved at first and after a request has failed, since a client keeps the address for its life.
    private func client() async throws -> (HTTPClient, address: String) {
        guard server.isName else { return (try client(for: ""), "") }
        let (known, hasFailed) = state.withLock { state in (state.address, state.hasFailed) }
        if let known, !hasFailed { return (try client(for: known), known) }
        let addresses: [String]
        do throws(NameError) {
            addresses = try await resolver.addresses(of: server.host)
        } catch {
            // The name servers may be away, and the server may be back where it was.
            guard let known else { throw error }
            return (try client(for: known), known)
        }
        // Another request may have gone on to the next address meanwhile; both go there.
        let index = known.flatMap { known in addresses.firstIndex(of: known) }.map { index in index + 1 } ?? 0
        let next = addresses[index % addresses.count]
        return (try client(for: next), next)
    }

    private func client(for address: String) throws -> HTTPClient {
        let (client, surplus) = try state.withLock { state throws(CancellationError) in
            guard !state.isShutDown else { throw CancellationError() }
            if state.address != address { state.hasFailed = false }
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

/// Which address a request was last sent to; nil before it was.
final class Route: Sendable {
    let address = Mutex<String?>(nil)
}
