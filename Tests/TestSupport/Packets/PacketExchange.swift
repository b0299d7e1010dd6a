import CLinuxKernel
import Foundation
import LinuxKernel
package import Redirect

extension PodSandbox {
    /// Makes all attempts at the same time, against listeners on every port that they name and those of the proxy.
    ///
    /// - Parameters:
    ///   - attempts: What to try.
    ///   - proxy: Who owns the listeners on 15001, 15006 and 15053.
    ///   - silentPorts: Those of the proxy's ports on which nobody listens yet.
    ///   - isTransparent: Whether the listener on 15006 takes what TPROXY hands over.
    /// - Returns: What became of each, in the same order.
    /// - Throws: What the kernel refused to a listener.
    package func make(
        _ attempts: [ConnectionAttempt],
        proxy: Packet.Owner,
        silentPorts: Set<UInt16> = [],
        isTransparent: Bool
    ) async throws -> [Landing] {
        var listeners = Set(attempts.compactMap { attempt in Listener(for: attempt) })
        for family in AddressFamily.allCases {
            let loopback = family == .ipv4 ? AddressRange.loopbackIPv4.address : AddressRange.loopbackIPv6.address
            let any = IPAddress(family, bits: 0)
            for port in Listener.proxyPorts where !silentPorts.contains(port) {
                let transparent = isTransparent && port == Listener.inboundPort
                let endpoint = SocketEndpoint(any, port: port)
                listeners.insert(Listener(.pod, .tcp, endpoint, owner: proxy, isTransparent: transparent))
            }
            listeners.insert(
                Listener(.pod, .udp, SocketEndpoint(loopback, port: Listener.dnsPort), owner: proxy)
            )
        }
        let wanted = listeners
        // A thread of its own, since it changes namespaces and waits; it ends with the exchange.
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        var exchange = PacketExchange(self, attempts)
                        return try exchange.run(wanted)
                    }
                )
            }
        }
    }
}

/// A socket that waits for somebody.
private struct Listener: Hashable {
    let place: Place
    let transport: TransportProtocol
    let endpoint: SocketEndpoint
    let owner: Packet.Owner
    let isTransparent: Bool

    static let inboundPort: UInt16 = 15_006
    static let dnsPort: UInt16 = 15_053
    static let proxyPorts: [UInt16] = [15_001, inboundPort, dnsPort]
    static let application = Packet.Owner(user: 1_000, group: 1_000)

    init(
        _ place: Place,
        _ transport: TransportProtocol,
        _ endpoint: SocketEndpoint,
        owner: Packet.Owner = application,
        isTransparent: Bool = false
    ) {
        self.place = place
        self.transport = transport
        self.endpoint = endpoint
        self.owner = owner
        self.isTransparent = isTransparent
    }

    /// The one that an attempt is meant for, unless it is the proxy's, or nobody can listen there.
    init?(for attempt: ConnectionAttempt) {
        let endpoint = attempt.destination
        guard endpoint.port != 0, attempt.target != .pod || !Self.proxyPorts.contains(endpoint.port) else { return nil }
        switch attempt.transport {
        case .tcp:
            let any = IPAddress(endpoint.address.family, bits: 0)
            self.init(attempt.target, .tcp, SocketEndpoint(any, port: endpoint.port))
        // A datagram's answer must come from where it went.
        case .udp: self.init(attempt.target, .udp, endpoint)
        }
    }
}

/// All sockets of one exchange, and what is known so far.
private struct PacketExchange {
    let sandbox: PodSandbox
    let attempts: [ConnectionAttempt]
    var landings: [Landing?]
    var listeners: [(Listener, TestSocket)] = []
    var clients: [Int: TestSocket] = [:]
    var arrivals: [Landing.Arrival] = []

    init(_ sandbox: PodSandbox, _ attempts: [ConnectionAttempt]) {
        self.sandbox = sandbox
        self.attempts = attempts
        landings = Array(repeating: nil, count: attempts.count)
    }

    /// How long nothing at all must happen before what is pending counts as lost: links of one machine answer in
    /// less than a millisecond.
    static let silenceMilliseconds: CInt = 150

    /// A neighbour's IPv6 address may be held back for a second after its link came up (RFC 4862, 5.4).
    static let mostTries = 10

    mutating func run(_ wanted: Set<Listener>) throws(KernelError) -> [Landing] {
        for place in [Place.pod, .outside, .machine] {
            try enter(place)
            for listener in wanted where listener.place == place {
                listeners.append((listener, try Self.open(listener)))
            }
        }
        for _ in 1...Self.mostTries {
            guard landings.contains(nil) else { break }
            try startPending()
            while !clients.isEmpty, exchange() {}
            clients = [:]
        }
        return landings.map { $0 ?? .lost }
    }

    private func enter(_ place: Place) throws(KernelError) {
        guard c_linux_setns(sandbox.namespace(place), C_LINUX_CLONE_NEWNET) == 0 else {
            throw KernelError("enter \(place.rawValue)", Errno(rawValue: errno))
        }
    }

    private static func open(_ listener: Listener) throws(KernelError) -> TestSocket {
        let family = listener.endpoint.address.family
        let socket = try TestSocket(listener.transport, family, owner: listener.owner)
        if family == .ipv6 { try socket.set(CInt(IPPROTO_IPV6), IPV6_V6ONLY, "keep IPv4 out") }
        if listener.isTransparent { try socket.setTransparent(family) }
        // An exchange may follow another one, whose connections linger (TIME_WAIT).
        try socket.set(SOL_SOCKET, SO_REUSEADDR, "share the port with the past")
        try socket.bind(to: listener.endpoint)
        if listener.transport == .tcp { try socket.listen() }
        return socket
    }

    private mutating func startPending() throws(KernelError) {
        for place in [Place.pod, .outside, .machine] {
            try enter(place)
            for (index, attempt) in attempts.enumerated() where attempt.origin == place && landings[index] == nil {
                do throws(KernelError) {
                    clients[index] = try start(attempt)
                } catch {
                    landings[index] = error.errno == .connectionRefused ? .refused : .impossible("\(error)")
                }
            }
        }
    }

    private func start(_ attempt: ConnectionAttempt) throws(KernelError) -> TestSocket {
        let family = attempt.source.family
        let socket = try TestSocket(attempt.transport, family, owner: attempt.owner)
        try socket.bind(to: SocketEndpoint(attempt.source, port: 0))
        if attempt.origin == .machine { try bindToInterface(socket, attempt) }
        try socket.connect(to: attempt.destination)
        if attempt.transport == .udp { socket.send("?") }
        return socket
    }

    /// All of a machine's interfaces lead everywhere, so the attempt says which.
    private func bindToInterface(_ socket: TestSocket, _ attempt: ConnectionAttempt) throws(KernelError) {
        let index = sandbox.network.interfaces.firstIndex(of: attempt.interface) ?? 0
        let name = SandboxNetwork.machineInterface(index)
        guard setsockopt(socket.descriptor, SOL_SOCKET, SO_BINDTODEVICE, name, socklen_t(name.utf8.count)) == 0 else {
            throw KernelError("bind to \(name)", Errno(rawValue: errno))
        }
    }

    /// Waits for something to happen.
    ///
    /// - Returns: Whether it did.
    private mutating func exchange() -> Bool {
        let waiting = Array(clients)
        var polled = listeners.map { pollfd(fd: $0.1.descriptor, events: Int16(POLLIN), revents: 0) }
        polled += waiting.map { pollfd(fd: $0.value.descriptor, events: Int16(POLLIN), revents: 0) }
        guard poll(&polled, nfds_t(polled.count), Self.silenceMilliseconds) > 0 else { return false }

        for (index, poll) in polled.enumerated() where poll.revents != 0 {
            if index < listeners.count {
                serve(listeners[index].0, listeners[index].1)
            } else {
                let client = waiting[index - listeners.count]
                finish(client.key, client.value)
            }
        }
        return true
    }

    private mutating func serve(_ listener: Listener, _ socket: TestSocket) {
        switch listener.transport {
        case .udp:
            arrivals.append(
                Landing.Arrival(place: listener.place, port: listener.endpoint.port, local: nil, original: nil)
            )
            _ = socket.answer("\(arrivals.count - 1)")
        case .tcp:
            while let accepted = socket.accept(owner: listener.owner) {
                arrivals.append(
                    Landing.Arrival(
                        place: listener.place,
                        port: listener.endpoint.port,
                        local: accepted.localEndpoint,
                        original: accepted.originalDestination(listener.endpoint.address.family)
                            ?? accepted.localEndpoint
                    )
                )
                accepted.send("\(arrivals.count - 1)")
            }
        }
    }

    private mutating func finish(_ index: Int, _ socket: TestSocket) {
        clients[index] = nil
        switch socket.receive() {
        case .success(let text):
            let number = Int(text) ?? arrivals.count
            landings[index] =
                arrivals.indices.contains(number)
                ? .arrived(arrivals[number]) : .impossible("the answer '\(text)' is none")
        case .failure(let error):
            landings[index] = error.errno == .connectionRefused ? .refused : .impossible("\(error)")
        }
    }
}
