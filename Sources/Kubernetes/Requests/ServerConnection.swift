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
        var client: HTTPClient?
        /// What the host's name was resolved to; nil for a host that is an address.
        var address: String?
        /// Connections that failed since the last that did not: the next address is tried.
        var failures = 0
        var isStale = true
        var isShutDown = false
    }

    init(server: ServerAddress, resolver: NameResolver) {
        self.server = server
        self.resolver = resolver
        state = Mutex(State())
    }

    /// The client to send a request with.
    ///
    /// A name is resolved at first and after a connection has failed, since a client keeps the address for its life.
    func client() async throws -> HTTPClient {
        guard server.isName else { return try adopt(nil) }
        let (known, isStale, failures) = state.withLock { state in (state.address, state.isStale, state.failures) }
        if let known, !isStale { return try adopt(known) }
        let addresses: [String]
        do throws(NameError) {
            addresses = try await resolver.addresses(of: server.host)
        } catch {
            // The name servers may be away, and the server may be back where it was.
            guard let known else { throw error }
            return try adopt(known)
        }
        return try adopt(addresses[failures % addresses.count])
    }

    /// A connection could not be made, or was cut.
    func failed() {
        state.withLock { state in
            state.isStale = true
            state.failures += 1
        }
    }

    func succeeded() {
        state.withLock { state in state.failures = 0 }
    }

    /// Ends all requests, and sends no more.
    func shutDown() async {
        let client = state.withLock { state in
            state.isShutDown = true
            return state.client.take()
        }
        await Self.shutDown(client)
    }

    /// The client for an address; one for another address ends with its requests, which are sent again.
    private func adopt(_ address: String?) throws -> HTTPClient {
        let (client, old) = try state.withLock { state throws(CancellationError) in
            guard !state.isShutDown else { throw CancellationError() }
            state.isStale = false
            if let client = state.client, state.address == address { return (client, HTTPClient?.none) }
            let old = state.client
            let client = makeClient(address)
            state.client = client
            state.address = address
            return (client, old)
        }
        if let old { Task { await Self.shutDown(old) } }
        return client
    }

    private static func shutDown(_ client: HTTPClient?) async {
        // Its only error is that a client was shut down before.
        try? await client?.shutdown()
    }

    private func makeClient(_ address: String?) -> HTTPClient {
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
        if let address { configuration.dnsOverride = [server.host: address] }
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
