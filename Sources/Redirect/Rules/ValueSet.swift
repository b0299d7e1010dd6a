/// A set of values in an nf_tables table.
package struct ValueSet: Equatable, Sendable {
    package let name: String
    package let elements: Elements

    /// Sorted and without duplicates; ranges do not overlap or touch.
    package enum Elements: Equatable, Sendable {
        case ports([UInt16])
        case interfaces([String])
        case ranges(AddressFamily, [AddressInterval])
    }

    /// The elements as text: a port, a name, an address or two with `-` between.
    package var texts: [String] {
        switch elements {
        case .ports(let ports): ports.map { "\($0)" }
        case .interfaces(let names): names
        case .ranges(_, let ranges): ranges.map { $0.description }
        }
    }

    var lines: [String] {
        switch elements {
        case .ports: text("inet_service", flags: "", texts)
        case .interfaces: text("ifname", flags: "", texts.map { "\"\($0)\"" })
        case .ranges(.ipv4, _): text("ipv4_addr", flags: "interval", texts)
        case .ranges(.ipv6, _): text("ipv6_addr", flags: "interval", texts)
        }
    }

    private func text(_ type: String, flags: String, _ elements: [String]) -> [String] {
        var lines = ["    set \(name) {", "        type \(type)"]
        if !flags.isEmpty { lines.append("        flags \(flags)") }
        lines.append("        elements = { \(elements.joined(separator: ", ")) }")
        return lines + ["    }"]
    }
}

/// A run of addresses, both ends included.
package struct AddressInterval: Hashable, Sendable, CustomStringConvertible {
    package let first: IPAddress
    package internal(set) var last: IPAddress

    package func contains(_ address: IPAddress) -> Bool {
        address.family == first.family && first.bits <= address.bits && address.bits <= last.bits
    }

    package var description: String {
        first == last ? first.description : "\(first.description)-\(last.description)"
    }

    /// The addresses of `ranges` as the fewest intervals, in order.
    package static func merged(_ ranges: [AddressRange]) -> [AddressInterval] {
        var intervals: [AddressInterval] = []
        for range in ranges.sorted(by: { $0.first.bits < $1.first.bits }) {
            guard let end = intervals.last?.last.bits, range.first.bits <= end || range.first.bits - end == 1 else {
                intervals.append(AddressInterval(first: range.first, last: range.last))
                continue
            }
            if range.last.bits > end { intervals[intervals.count - 1].last = range.last }
        }
        return intervals
    }
}

extension Match {
    /// The set that holds the values, if there is more than one.
    package var valueSet: ValueSet? {
        switch self {
        case .inputInterface(let list), .outputInterface(let list):
            guard list.values.count > 1 else { return nil }
            return ValueSet(name: list.name, elements: .interfaces(Set(list.values).sorted()))
        case .destinationPort(let list):
            guard list.values.count > 1 else { return nil }
            return ValueSet(name: list.name, elements: .ports(Set(list.values).sorted()))
        case .source(let list), .destination(let list):
            guard list.values.count > 1, let family = list.values.first?.family else { return nil }
            return ValueSet(name: list.name, elements: .ranges(family, AddressInterval.merged(list.values)))
        default: return nil
        }
    }
}
