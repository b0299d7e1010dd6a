internal import LinuxKernel
package import Redirect

/// One connection, or one datagram and its answer, that somebody tries.
package struct Attempt: Equatable, Sendable {
    package var title: String
    package var origin: Origin
    package var transport: TransportProtocol = .tcp
    package var source: IPAddress
    package var destination: IPAddress
    package var port: UInt16

    /// Where the destination's address is.
    package var target: Place

    /// The pod's interface by which it leaves or arrives.
    package var interface: String

    package enum Origin: Equatable, Sendable {
        /// Somebody outside of the pod, whose user no rule can see.
        case outside
        case process(name: String, user: UInt32, group: UInt32)
    }

    /// Who can listen.
    package enum Place: String, Sendable {
        case sidecar
        case application
        case outside
    }

    /// The packet that opens the connection, as the pod's rules see it.
    package var packet: Packet {
        var direction = Packet.Direction.inbound(interface: interface)
        var owner: Packet.Owner?
        if case .process(_, let user, let group) = origin {
            direction = .outbound(interface: interface)
            owner = Packet.Owner(user: user, group: group)
        }
        return Packet(direction, transport, from: source, to: destination, destinationPort: port, owner: owner)
    }

    package var fromText: String {
        switch origin {
        case .outside: "outside \(source.description)"
        case .process(let name, let user, _): "\(name) (uid \(user))"
        }
    }

    package var toText: String { Self.text(destination, port) }

    static func text(_ address: IPAddress, _ port: UInt16) -> String {
        address.family == .ipv4 ? "\(address.description):\(port)" : "[\(address.description)]:\(port)"
    }

    /// Where the connection lands, if `rules` say so; without rules it lands where it is going.
    package func expectation(_ rules: RuleSet?) -> Expectation {
        guard let verdict = rules?.verdict(for: packet) else {
            return Expectation(landing: Landing(place: target, port: port), decision: nil)
        }
        let landing: Landing? =
            switch verdict.outcome {
            case .passes: Landing(place: target, port: port)
            case .redirected(let port), .takenOver(let port):
                Landing(place: .sidecar, port: port, original: original)
            case .dropped: nil
            }
        return Expectation(landing: landing, decision: verdict.decision?.rule.reason)
    }

    /// Where the listener can see that the connection was going; datagrams do not say.
    private var original: String? { transport == .tcp ? toText : nil }

    package struct Expectation: Equatable, Sendable {
        /// Nil for nowhere.
        package let landing: Landing?

        /// Why the rule that decides is there; nil if none has a say.
        package let decision: Rule.Reason?

        package var text: String { landing?.description ?? Landing.nowhere }
    }
}

/// Where a connection arrived.
package struct Landing: Equatable, Sendable, CustomStringConvertible {
    package var place: Attempt.Place

    /// The port of the socket that listens.
    package var port: UInt16

    /// Where the connection was going, as the sidecar can ask the kernel.
    package var original: String? = nil

    package static let nowhere = "nowhere: no answer"

    package var description: String {
        guard let original else { return "\(place.rawValue):\(port)" }
        return "\(place.rawValue):\(port) for \(original)"
    }
}
