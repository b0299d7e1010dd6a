/// One rule: what a packet must be like, and what happens to it then.
///
/// A rule says the same in nf_tables and in iptables. Where a match holds a ``MatchList``, nf_tables
/// looks the value up in a set, and iptables gets a rule for each value.
package struct Rule: Equatable, Sendable {
    package let matches: [Match]
    package let action: Action

    /// Why the rule is there, which is also how `trace` and the documentation name it.
    package let reason: Reason

    /// Whether iptables needs no such rule, since it behaves so by itself.
    package let isImpliedByIPTables: Bool

    /// Whether iptables gets this rule and the next one for the first value of their list, then for
    /// the second value and so on, as upstream orders them.
    package let expandsWithNext: Bool

    package init(
        _ matches: [Match],
        _ action: Action,
        _ reason: Reason,
        isImpliedByIPTables: Bool = false,
        expandsWithNext: Bool = false
    ) {
        self.matches = matches
        self.action = action
        self.reason = reason
        self.isImpliedByIPTables = isImpliedByIPTables
        self.expandsWithNext = expandsWithNext
    }

    /// The only family whose packets can match, if there is just one.
    package var family: AddressFamily? {
        for match in matches {
            if let family = match.family { return family }
        }
        return nil
    }
}

/// Values of which a packet must have one.
package struct MatchList<Value: Hashable & Sendable>: Hashable, Sendable {
    /// The name of the nf_tables set, unique in a rule set.
    package let name: String

    /// In the order in which the user wrote them, duplicates included; never empty.
    package let values: [Value]

    package init(_ name: String, _ values: [Value]) {
        self.name = name
        self.values = values
    }
}

/// A protocol with ports.
package enum TransportProtocol: String, CaseIterable, Hashable, Sendable {
    case tcp
    case udp

    /// The number in the IP header (`IPPROTO_TCP`, `IPPROTO_UDP`).
    package var number: UInt8 {
        switch self {
        case .tcp: 6
        case .udp: 17
        }
    }
}

/// What connection tracking says about a packet.
package enum ConnectionState: String, CaseIterable, Hashable, Sendable {
    case new
    case established
    case related
    case invalid
}

/// One condition on a packet; a rule matches when all of its conditions hold.
package enum Match: Hashable, Sendable {
    case family(AddressFamily)
    case transport(TransportProtocol)
    case inputInterface(MatchList<String>)
    case outputInterface(MatchList<String>)

    /// Ranges of one family, at least one of which holds the address.
    case source(MatchList<AddressRange>)
    case destination(MatchList<AddressRange>)
    case destinationOutside(AddressRange)

    case sourcePort(UInt16)
    case destinationPort(MatchList<UInt16>)

    /// None of these ports.
    case destinationPortOutside([UInt16])

    /// The process that owns the socket has this user.
    ///
    /// A packet that no socket owns matches neither this nor the opposite in nf_tables. iptables'
    /// opposite does match it (`net/netfilter/xt_owner.c`), which only a connection opened by the
    /// kernel itself can show.
    case user(UInt32)
    case userOutside(UInt32)
    case group(UInt32)

    /// None of these groups.
    case groupOutside([UInt32])

    /// One of these states.
    case connectionState([ConnectionState])

    case mark(UInt32)
    case markOutside(UInt32)

    /// The mark of the connection that the packet belongs to.
    case connectionMark(UInt32)

    /// The only family whose packets can match, if there is just one.
    package var family: AddressFamily? {
        switch self {
        case .family(let family): family
        case .source(let ranges), .destination(let ranges): ranges.values.first?.family
        case .destinationOutside(let range): range.family
        default: nil
        }
    }
}

/// What happens to a packet that matches.
package enum Action: Hashable, Sendable {
    case accept
    case drop

    /// Go on after the rule that jumped here; from a base chain: let the packet go.
    case `return`
    case jump(Chain.Name)

    /// Send the connection to this port of this host.
    case redirect(UInt16)

    /// Hand the connection to the transparent socket on this port and mark it so; where nobody listens, go on.
    case transparentProxy(port: UInt16, mark: UInt32)

    case setMark(UInt32)

    /// The connection gets the packet's mark.
    case saveMark

    /// The packet gets the connection's mark.
    case restoreMark

    /// Track the connection in this zone, unless the packet has one already.
    case setZone(UInt16)
}
