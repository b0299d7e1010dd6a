/// The packet that opens a connection (or belongs to one), as far as rules can see it.
package struct Packet: Equatable, Sendable {
    package var direction: Direction

    /// Nil for a protocol without ports.
    package var transport: TransportProtocol?
    package var source: IPAddress
    package var destination: IPAddress
    package var sourcePort: UInt16
    package var destinationPort: UInt16

    /// Who owns the socket; nil for what no local socket sent.
    package var owner: Owner?
    package var state: ConnectionState
    package var mark: UInt32
    package var connectionMark: UInt32

    package enum Direction: Equatable, Sendable {
        case inbound(interface: String)
        case outbound(interface: String)
    }

    package struct Owner: Hashable, Sendable {
        package var user: UInt32
        package var group: UInt32

        package init(user: UInt32, group: UInt32) {
            self.user = user
            self.group = group
        }
    }

    package init(
        _ direction: Direction,
        _ transport: TransportProtocol?,
        from source: IPAddress,
        sourcePort: UInt16 = 40_000,
        to destination: IPAddress,
        destinationPort: UInt16,
        owner: Owner? = nil,
        state: ConnectionState = .new,
        mark: UInt32 = 0,
        connectionMark: UInt32 = 0
    ) {
        self.direction = direction
        self.transport = transport
        self.source = source
        self.sourcePort = sourcePort
        self.destination = destination
        self.destinationPort = destinationPort
        self.owner = owner
        self.state = state
        self.mark = mark
        self.connectionMark = connectionMark
    }

    var family: AddressFamily { destination.family }
}

extension Match {
    func matches(_ packet: Packet) -> Bool {
        switch self {
        case .family(let family): packet.family == family
        case .transport(let transport): packet.transport == transport
        case .inputInterface(let list): packet.inputInterface.map { list.values.contains($0) } ?? false
        case .outputInterface(let list): packet.outputInterface.map { list.values.contains($0) } ?? false
        case .source(let list): list.holds(packet.source)
        case .destination(let list): list.holds(packet.destination)
        case .destinationOutside(let range):
            packet.family == range.family && !range.contains(packet.destination)
        case .sourcePort(let port): packet.transport != nil && packet.sourcePort == port
        case .destinationPort(let list): packet.transport != nil && list.values.contains(packet.destinationPort)
        case .destinationPortOutside(let ports): packet.transport != nil && !ports.contains(packet.destinationPort)
        case .user(let user): packet.owner.map { $0.user == user } ?? false
        case .userOutside(let user): packet.owner.map { $0.user != user } ?? false
        case .group(let group): packet.owner.map { $0.group == group } ?? false
        case .groupOutside(let groups): packet.owner.map { !groups.contains($0.group) } ?? false
        case .connectionState(let states): states.contains(packet.state)
        case .mark(let mark): packet.mark == mark
        case .markOutside(let mark): packet.mark != mark
        case .connectionMark(let mark): packet.connectionMark == mark
        }
    }
}

extension Packet {
    fileprivate var inputInterface: String? {
        guard case .inbound(let interface) = direction else { return nil }
        return interface
    }

    fileprivate var outputInterface: String? {
        guard case .outbound(let interface) = direction else { return nil }
        return interface
    }
}

extension MatchList<AddressRange> {
    fileprivate func holds(_ address: IPAddress) -> Bool {
        for range in values where range.contains(address) { return true }
        return false
    }
}
