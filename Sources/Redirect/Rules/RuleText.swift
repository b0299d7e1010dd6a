extension Rule {
    /// The rule as `nft` takes it; the kernel's refusals are reported with it too.
    package var nftablesText: String {
        var words: [String] = []
        for match in matches {
            words += match.nftablesWords(transport)
        }
        words += action.nftablesWords(family ?? .ipv4)
        return words.joined(separator: " ")
    }

    /// One of the rule's conditions as `nft` takes it.
    package func nftablesText(of match: Match) -> String {
        match.nftablesWords(transport).joined(separator: " ")
    }

    private var transport: TransportProtocol? {
        var transport: TransportProtocol?
        for match in matches {
            if case .transport(let known) = match { transport = known }
        }
        return transport
    }
}

extension Match {
    fileprivate func nftablesWords(_ transport: TransportProtocol?) -> [String] {
        let ports = transport?.rawValue ?? "th"
        return switch self {
        case .family(let family): ["meta nfproto", family.rawValue]
        case .transport(let transport): ["meta l4proto", transport.rawValue]
        case .inputInterface(let list): ["iifname", list.operand { "\"\($0)\"" }]
        case .outputInterface(let list): ["oifname", list.operand { "\"\($0)\"" }]
        case .source(let list): list.addressWords("saddr")
        case .destination(let list): list.addressWords("daddr")
        case .destinationOutside(let range): [range.family.header, "daddr !=", range.description]
        case .sourcePort(let port): [ports, "sport", "\(port)"]
        case .destinationPort(let list): [ports, "dport", list.operand { "\($0)" }]
        case .destinationPortOutside(let excluded): excluded.map { "\(ports) dport != \($0)" }
        case .user(let user): ["meta skuid", "\(user)"]
        case .userOutside(let user): ["meta skuid !=", "\(user)"]
        case .group(let group): ["meta skgid", "\(group)"]
        case .groupOutside(let groups): groups.map { "meta skgid != \($0)" }
        case .connectionState(let states): ["ct state", states.map { $0.rawValue }.joined(separator: ",")]
        case .mark(let mark): ["meta mark", "\(mark)"]
        case .markOutside(let mark): ["meta mark !=", "\(mark)"]
        case .connectionMark(let mark): ["ct mark", "\(mark)"]
        }
    }
}

extension MatchList {
    /// The one value, or the name of the set.
    fileprivate func operand(_ text: (Value) -> String) -> String {
        values.count == 1 ? text(values[0]) : "@\(name)"
    }
}

extension MatchList<AddressRange> {
    fileprivate func addressWords(_ side: String) -> [String] {
        let range = values[0]
        // A range of all addresses is a condition on the family only.
        if values.count == 1, range.prefixLength == 0 { return ["meta nfproto", range.family.rawValue] }
        return [range.family.header, side, operand { $0.description }]
    }
}

extension AddressFamily {
    /// What nft calls the header of a packet.
    fileprivate var header: String {
        switch self {
        case .ipv4: "ip"
        case .ipv6: "ip6"
        }
    }
}

extension Action {
    fileprivate func nftablesWords(_ family: AddressFamily) -> [String] {
        switch self {
        case .accept: ["counter", "accept"]
        case .drop: ["counter", "drop"]
        case .return: ["counter", "return"]
        case .jump(let chain): ["counter", "jump", chain.rawValue]
        case .redirect(let port): ["counter", "redirect to :\(port)"]
        case .transparentProxy(let port, let mark):
            ["tproxy", family.header, "to :\(port)", "meta mark set", "\(mark)", "counter", "accept"]
        case .setMark(let mark): ["counter", "meta mark set", "\(mark)"]
        case .saveMark: ["counter", "ct mark set meta mark"]
        case .restoreMark: ["counter", "meta mark set ct mark"]
        case .setZone(let zone): ["counter", "ct zone set", "\(zone)"]
        }
    }
}
