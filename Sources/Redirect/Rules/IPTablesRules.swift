extension RuleSet {
    /// The rules of one table and family as `iptables-save` prints them.
    ///
    /// `iptables-restore` takes this form as well, so what is wanted and what is in force compare as text.
    package func iptablesTable(_ name: Table.Name, _ family: AddressFamily) -> IPTablesTable? {
        guard families.contains(family), let table = table(name) else { return nil }
        var result = IPTablesTable(name: name.rawValue)
        for chain in table.chains {
            let rules = chain.iptablesRules(family)
            guard !rules.isEmpty else { continue }
            if !chain.name.isBase { result.chains.append(chain.name.iptablesName) }
            result.rules += rules.map { $0.text }
            result.reasons += rules.map { $0.reason }
        }
        return result.rules.isEmpty ? nil : result
    }

    /// All tables of a family.
    package func iptablesTables(_ family: AddressFamily) -> [IPTablesTable] {
        Table.Name.inIPTables.compactMap { iptablesTable($0, family) }
    }
}

extension Table.Name {
    /// The alphabetical order that upstream uses.
    package static let inIPTables = [Table.Name.mangle, .nat, .raw]
}

/// The part of one iptables table that belongs to a pod's redirection.
package struct IPTablesTable: Equatable, Sendable {
    package let name: String

    /// Chains that are ours: `ISTIO_OUTPUT`.
    package internal(set) var chains: [String] = []

    /// `-A ISTIO_OUTPUT ...`, in the order of each chain.
    package internal(set) var rules: [String] = []

    /// Why each of them is there.
    package internal(set) var reasons: [Rule.Reason] = []

    /// As ``restoreText``, with the reason of each rule in a comment before it.
    package var explainedText: String {
        var lines = ["*\(name)"] + chains.map { ":\($0) - [0:0]" }
        for (rule, reason) in zip(rules, reasons) { lines += ["# \(reason.comment)", rule] }
        return (lines + ["COMMIT\n"]).joined(separator: "\n")
    }

    /// The table as input for `iptables-restore --noflush`: our chains are made or emptied, then filled.
    package var restoreText: String {
        let lines = ["*\(name)"] + chains.map { ":\($0) - [0:0]" } + rules + ["COMMIT\n"]
        return lines.joined(separator: "\n")
    }
}

extension Chain {
    /// `-A ISTIO_OUTPUT ...`, each with why it is there; an nf_tables rule can be several.
    package func iptablesRules(_ family: AddressFamily) -> [(text: String, reason: Rule.Reason)] {
        var lines: [(text: String, reason: Rule.Reason)] = []
        var together: [Rule] = []
        for rule in rules where !rule.isImpliedByIPTables && (rule.family ?? family) == family {
            together.append(rule)
            guard !rule.expandsWithNext else { continue }
            let expanded = together.map { $0.iptablesMatches(family) }
            let count = expanded.map { $0.count }.max() ?? 0
            for index in 0..<count {
                for (rule, matches) in zip(together, expanded) where index < matches.count {
                    let words = ["-A", name.iptablesName] + matches[index] + rule.action.iptablesWords(family)
                    lines.append((words.joined(separator: " "), rule.reason))
                }
            }
            together = []
        }
        return lines
    }
}

extension Rule {
    /// The words of the conditions, once for each combination of list values.
    ///
    /// The last list is the outermost loop.
    fileprivate func iptablesMatches(_ family: AddressFamily) -> [[String]] {
        var combinations = [IPTablesConditions()]
        for match in matches.reversed() {
            var next: [IPTablesConditions] = []
            for conditions in combinations {
                next += match.iptablesConditions(adding: conditions)
            }
            combinations = next
        }
        return combinations.map { $0.words }
    }
}

/// The conditions of one iptables rule, in the places where `iptables-save` prints them.
private struct IPTablesConditions {
    var source: [String] = []
    var destination: [String] = []
    var inputInterface: [String] = []
    var outputInterface: [String] = []
    var transport: [String] = []
    var matches: [String] = []

    var words: [String] { source + destination + inputInterface + outputInterface + transport + matches }

    func with(_ change: (inout IPTablesConditions) -> Void) -> IPTablesConditions {
        var copy = self
        change(&copy)
        return copy
    }

    /// Puts a match before those that are there: conditions are added from the last to the first.
    func matching(_ words: String...) -> IPTablesConditions {
        with { $0.matches = words + $0.matches }
    }
}

extension Match {
    fileprivate func iptablesConditions(adding conditions: IPTablesConditions) -> [IPTablesConditions] {
        switch self {
        case .family: [conditions]
        case .transport(let transport): [conditions.with { $0.setTransport(transport) }]
        case .inputInterface(let list):
            list.values.map { name in conditions.with { $0.inputInterface = ["-i", name] } }
        case .outputInterface(let list):
            list.values.map { name in conditions.with { $0.outputInterface = ["-o", name] } }
        case .source(let list): list.values.map { range in conditions.with { $0.source = range.iptables("-s") } }
        case .destination(let list):
            list.values.map { range in conditions.with { $0.destination = range.iptables("-d") } }
        case .destinationOutside(let range): [conditions.with { $0.destination = ["!"] + range.iptables("-d") }]
        case .sourcePort(let port): [conditions.matching("--sport", "\(port)")]
        case .destinationPort(let list): list.values.map { conditions.matching("--dport", "\($0)") }
        case .destinationPortOutside(let ports): [conditions.exceptPorts(ports)]
        case .user(let user): [conditions.matching("-m", "owner", "--uid-owner", "\(user)")]
        case .userOutside(let user): [conditions.matching("-m", "owner", "!", "--uid-owner", "\(user)")]
        case .group(let group): [conditions.matching("-m", "owner", "--gid-owner", "\(group)")]
        case .groupOutside(let groups): [conditions.exceptGroups(groups)]
        case .connectionState(let states): [conditions.matching("-m", "conntrack", "--ctstate", states.iptables)]
        case .mark(let mark): [conditions.matching("-m", "mark", "--mark", hexadecimal(mark))]
        case .markOutside(let mark): [conditions.matching("-m", "mark", "!", "--mark", hexadecimal(mark))]
        case .connectionMark(let mark): [conditions.matching("-m", "connmark", "--mark", hexadecimal(mark))]
        }
    }
}

extension IPTablesConditions {
    /// The protocol is known after its ports, since conditions are added from the last to the first.
    fileprivate mutating func setTransport(_ protocol: TransportProtocol) {
        let name = `protocol`.rawValue
        transport = ["-p", name]
        let isPort = matches.first == "--dport" || matches.first == "--sport"
        let isNegatedPort = matches.first == "!" && matches.dropFirst().first == "--dport"
        if isPort || isNegatedPort { matches = ["-m", name] + matches }
    }

    fileprivate func exceptPorts(_ ports: [UInt16]) -> IPTablesConditions {
        let list = ports.map { "\($0)" }.joined(separator: ",")
        return ports.count == 1
            ? matching("!", "--dport", list)
            : matching("-m", "multiport", "!", "--dports", list)
    }

    fileprivate func exceptGroups(_ groups: [UInt32]) -> IPTablesConditions {
        with { conditions in
            conditions.matches = groups.flatMap { ["-m", "owner", "!", "--gid-owner", "\($0)"] } + conditions.matches
        }
    }
}

extension AddressRange {
    /// A range of all addresses is not printed, since it is no condition.
    fileprivate func iptables(_ option: String) -> [String] {
        prefixLength == 0 ? [] : [option, description]
    }
}

extension [ConnectionState] {
    fileprivate var iptables: String { map { $0.rawValue.uppercased() }.joined(separator: ",") }
}

extension Action {
    fileprivate func iptablesWords(_ family: AddressFamily) -> [String] {
        switch self {
        case .accept: ["-j", "ACCEPT"]
        case .drop: ["-j", "DROP"]
        case .return: ["-j", "RETURN"]
        case .jump(let chain): ["-j", chain.iptablesName]
        case .redirect(let port): ["-j", "REDIRECT", "--to-ports", "\(port)"]
        case .transparentProxy(let port, let mark):
            [
                "-j", "TPROXY", "--on-port", "\(port)", "--on-ip", family == .ipv4 ? "0.0.0.0" : "::",
                "--tproxy-mark", "\(hexadecimal(mark))/0xffffffff",
            ]
        case .setMark(let mark): ["-j", "MARK", "--set-xmark", "\(hexadecimal(mark))/0xffffffff"]
        case .saveMark: ["-j", "CONNMARK", "--save-mark", "--nfmask", "0xffffffff", "--ctmask", "0xffffffff"]
        case .restoreMark: ["-j", "CONNMARK", "--restore-mark", "--nfmask", "0xffffffff", "--ctmask", "0xffffffff"]
        case .setZone(let zone): ["-j", "CT", "--zone", "\(zone)"]
        }
    }
}

private func hexadecimal(_ value: UInt32) -> String {
    "0x" + String(value, radix: 16)
}
