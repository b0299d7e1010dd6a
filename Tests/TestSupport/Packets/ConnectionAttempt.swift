package import Redirect

/// Where a socket is.
package enum Place: String, Hashable, Sendable {
    case pod

    /// Behind eth0.
    case outside

    /// Behind another interface of the pod: a virtual machine, or a second network.
    case machine
}

/// One connection, or one datagram and its answer, that somebody tries.
package struct ConnectionAttempt: Hashable, Sendable, CustomStringConvertible {
    package let origin: Place
    package let transport: TransportProtocol
    package let source: IPAddress
    package let destination: SocketEndpoint

    /// Where the destination's address is.
    package let target: Place
    package let owner: Packet.Owner

    /// The pod's interface by which it leaves or arrives: `eth0`, `lo`, `net1`.
    package let interface: String

    package init(
        _ transport: TransportProtocol,
        from origin: Place,
        _ source: IPAddress,
        to target: Place,
        _ destination: SocketEndpoint,
        through interface: String,
        owner: Packet.Owner
    ) {
        self.origin = origin
        self.transport = transport
        self.source = source
        self.destination = destination
        self.target = target
        self.owner = owner
        self.interface = interface
    }

    /// The packet that opens the connection, as the pod's rules see it.
    package var packet: Packet {
        Packet(
            origin == .pod ? .outbound(interface: interface) : .inbound(interface: interface),
            transport,
            from: source,
            to: destination.address,
            destinationPort: destination.port,
            owner: origin == .pod ? owner : nil
        )
    }

    /// The packet that comes back, as the pod's rules see it, where the pod only passes it on.
    package var forwardedAnswer: Packet? {
        guard origin == .machine, target == .outside else { return nil }
        return Packet(
            .inbound(interface: "eth0"),
            transport,
            from: destination.address,
            sourcePort: destination.port,
            to: source,
            destinationPort: packet.sourcePort,
            state: .established
        )
    }

    package var description: String {
        "\(transport.rawValue) \(source.description) -> \(destination) through \(interface)"
            + " by \(origin.rawValue) \(owner.user):\(owner.group)"
    }
}

/// What became of an attempt.
package enum Landing: Hashable, Sendable, CustomStringConvertible {
    case arrived(Arrival)

    /// Somebody answered that nobody listens.
    case refused

    /// Nobody answered, twice.
    case lost

    /// The kernel of the sender would not even try.
    case impossible(String)

    package struct Arrival: Hashable, Sendable {
        package let place: Place

        /// The port of the socket that listens.
        package let port: UInt16

        /// The end of the connection that the socket sees as its own, nil for datagrams.
        package let local: SocketEndpoint?

        /// Where the connection was going, as the socket can ask the kernel: where nothing tracks connections,
        /// nothing can have changed that.
        package let original: SocketEndpoint?
    }

    package var description: String {
        switch self {
        case .arrived(let arrival):
            "\(arrival.place.rawValue):\(arrival.port) as \(arrival.local?.description ?? "-")"
                + " for \(arrival.original?.description ?? "-")"
        case .refused: "refused"
        case .lost: "lost"
        case .impossible(let reason): "impossible: \(reason)"
        }
    }
}

extension Landing {
    /// Whether this is what `rules` say about `attempt`, by their model.
    package func agrees(with rules: RuleSet, about attempt: ConnectionAttempt) -> Bool {
        switch (rules.verdict(for: attempt.packet).outcome, self) {
        case (.dropped, .lost): true
        // Nobody can listen on port 0.
        case (.passes, .refused): attempt.destination.port == 0
        // What comes back through a pod in TPROXY mode is taken for its own, as with upstream.
        case (.passes, .lost):
            attempt.forwardedAnswer.map { rules.verdict(for: $0).decision?.rule.reason == .knownConnection } ?? false
        case (.passes, .arrived(let arrival)):
            arrival.place == attempt.target && arrival.port == attempt.destination.port
                && (arrival.local ?? attempt.destination) == attempt.destination
        case (.redirected(let port), .arrived(let arrival)):
            arrival.place == .pod && arrival.port == port
                && (attempt.transport == .udp
                    || (arrival.local?.port == port && arrival.original == attempt.destination))
        // The socket is chosen, though a rule about a virtual machine's interface may still rewrite the packet.
        case (.takenOver(let port), .arrived(let arrival)):
            arrival.place == .pod && arrival.port == port && arrival.original == attempt.destination
                && (arrival.local == attempt.destination || arrival.local?.port != port)
        default: false
        }
    }
}
