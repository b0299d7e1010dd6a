internal import CLinuxKernel

/// A rule that looks up packets with a mark in a routing table of their own: `ip rule add fwmark 1337 lookup 133`.
package struct MarkRule: Hashable, Sendable {
    package let family: InternetFamily
    package let mark: UInt32

    /// Which bits of a packet's mark count.
    package let mask: UInt32
    package let table: UInt32

    /// The rule's place among all rules, lowest first.
    package let priority: UInt32

    package init(_ family: InternetFamily, mark: UInt32, mask: UInt32 = .max, table: UInt32, priority: UInt32) {
        self.family = family
        self.mark = mark
        self.mask = mask
        self.table = table
        self.priority = priority
    }

    /// The rule as `ip rule` writes it, for errors.
    var text: String {
        "\(family == .ipv4 ? "" : "-6 ")rule fwmark 0x\(String(mark, radix: 16)) lookup \(table) priority \(priority)"
    }
}

extension RouteSocket {
    /// The rules that look at nothing but a packet's mark; others are left out.
    package func markRules(_ family: InternetFamily) throws(KernelError) -> [MarkRule] {
        var result: [MarkRule] = []
        for entry in try list("list routing rules", RTM_GETRULE, family: family.rawValue, headerByteCount: 12) {
            if let rule = try MarkRule(entry, family) { result.append(rule) }
        }
        return result
    }

    /// Adds a rule.
    package func addMarkRule(_ rule: MarkRule) throws(KernelError) {
        try change("add", RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule)
    }

    /// Removes one rule that is like this one.
    package func removeMarkRule(_ rule: MarkRule) throws(KernelError) {
        try change("remove", RTM_DELRULE, 0, rule)
    }

    private func change(_ verb: String, _ type: Int, _ flags: Int32, _ rule: MarkRule) throws(KernelError) {
        try netlink.change(operation: "\(verb) \(rule.text)", type: UInt16(type), flags: flags) { writer in
            // struct fib_rule_hdr: family, prefix lengths, type of service, table, reserved, action, flags.
            writer.append(rule.family.rawValue)
            for _ in 1...6 { writer.append(UInt8(0)) }
            writer.append(Self.lookUpTable)
            writer.append(UInt32(0))
            writer.attribute(UInt16(FRA_PRIORITY), hostOrder: rule.priority)
            writer.attribute(UInt16(FRA_FWMARK), hostOrder: rule.mark)
            writer.attribute(UInt16(FRA_FWMASK), hostOrder: rule.mask)
            writer.attribute(UInt16(FRA_TABLE), hostOrder: rule.table)
        }
    }

    fileprivate static let lookUpTable = UInt8(FR_ACT_TO_TBL)
}

extension MarkRule {
    /// Reads an entry of the list of rules, or nil for one that looks at more than the mark.
    init?(_ entry: RouteEntry, _ family: InternetFamily) throws(KernelError) {
        guard Self.isPlain(entry), let mark = try entry.attributes.hostOrder(UInt16(FRA_FWMARK)) else { return nil }
        let table = try entry.attributes.hostOrder(UInt16(FRA_TABLE))
        self.init(
            family,
            mark: mark,
            mask: try entry.attributes.hostOrder(UInt16(FRA_FWMASK)) ?? .max,
            table: table ?? UInt32(entry.header.integer(UInt8.self, at: 4) ?? 0),
            priority: try entry.attributes.hostOrder(UInt16(FRA_PRIORITY)) ?? 0
        )
    }

    /// Whether a rule selects by nothing but mark, and looks up a table.
    private static func isPlain(_ entry: RouteEntry) -> Bool {
        let destinationSourceService = entry.header.dropFirst().prefix(3)
        let selectors = [
            FRA_IIFNAME, FRA_OIFNAME, FRA_GOTO, FRA_UID_RANGE, FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE,
        ]
        // FRA_L3MDEV is always there, as 0.
        let device = entry.attributes[UInt16(FRA_L3MDEV)]?.first ?? 0
        return destinationSourceService.allSatisfy { $0 == 0 } && device == 0
            && entry.header.integer(UInt8.self, at: 7) == RouteSocket.lookUpTable
            && (entry.header.integer(UInt32.self, at: 8) ?? 0) & UInt32(FIB_RULE_INVERT) == 0
            && selectors.allSatisfy { entry.attributes[UInt16($0)] == nil }
    }
}
