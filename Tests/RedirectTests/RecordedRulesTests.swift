import TestSupport
import Testing

@testable import Redirect

/// What iptables read back after upstream's plugin had run, against our rules for the same pod.
@Suite struct RecordedRulesTests {
    @Test(arguments: try RecordedCase.all().filter { $0.expected.exit == 0 && $0.pod.namespace != "kube-system" })
    func `iptables rules are upstream's`(recorded: RecordedCase) throws {
        let decision = try Decision(pod: recorded.pod, addresses: recorded.addresses, backend: .iptables)
        let rules: RuleSet? =
            switch decision {
            case .skip: nil
            case .redirect(let plan, _): RuleSet(plan)
            }

        for (family, lines) in [(AddressFamily.ipv4, recorded.expected.iptables), (.ipv6, recorded.expected.ip6tables)]
        {
            let tables = rules?.iptablesTables(family) ?? []
            #expect(Self.rules(lines) == Dictionary(uniqueKeysWithValues: tables.map { ($0.name, $0.byChain) }))
        }
    }

    /// The rules of each table and chain; a table without rules is left out.
    static func rules(_ lines: [String]) -> [String: [String: [String]]] {
        var tables: [String: [String: [String]]] = [:]
        var table = ""
        for line in lines {
            if line.hasPrefix("*") { table = String(line.dropFirst()) }
            guard line.hasPrefix("-A ") else { continue }
            tables[table, default: [:]][line.chain, default: []].append(line)
        }
        return tables
    }
}

extension IPTablesTable {
    fileprivate var byChain: [String: [String]] { Dictionary(grouping: rules, by: \.chain) }
}

extension String {
    fileprivate var chain: String { String(split(separator: " ")[1]) }
}
