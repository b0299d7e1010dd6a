extension RuleSet {
    /// The rules as a script for `nft -f`, which replaces what an earlier run left behind.
    package var nftablesText: String { nftablesText(explained: false) }

    /// The same; with the reason of each rule in a comment before it where that is wanted.
    package func nftablesText(explained: Bool) -> String {
        var lines: [String] = []
        for name in Table.Name.allCases {
            lines += ["table inet \(name.nftablesName)", "delete table inet \(name.nftablesName)"]
        }
        for table in tables { lines += table.nftablesLines(explained: explained) }
        lines.append("")
        return lines.joined(separator: "\n")
    }
}

extension Table {
    /// The sets that the rules look values up in, each once.
    package var sets: [ValueSet] {
        var sets: [ValueSet] = []
        for chain in chains {
            for rule in chain.rules {
                for match in rule.matches {
                    guard let set = match.valueSet, !sets.contains(where: { $0.name == set.name }) else { continue }
                    sets.append(set)
                }
            }
        }
        return sets
    }

    fileprivate func nftablesLines(explained: Bool) -> [String] {
        var lines = ["table inet \(name.nftablesName) {"]
        for set in sets { lines += set.lines }
        for chain in chains {
            lines.append("    chain \(chain.name.rawValue) {")
            if let hook = chain.baseText(in: name) { lines.append("        \(hook)") }
            for rule in chain.rules {
                if explained { lines.append("        # \(rule.reason.comment)") }
                lines.append("        \(rule.nftablesText)")
            }
            lines.append("    }")
        }
        return lines + ["}"]
    }
}

extension Chain {
    /// The kind of a base chain: `type nat hook output priority -100`.
    fileprivate func baseText(in table: Table.Name) -> String? {
        guard name.isBase else { return nil }
        return "type \(hookType(in: table).rawValue) hook \(name.rawValue) priority \(table.priority)"
    }

    /// What the kernel lets the rules of a base chain do.
    package enum HookType: String, Sendable {
        case nat
        case filter

        /// A packet whose mark has changed is routed once more.
        case route
    }

    package func hookType(in table: Table.Name) -> HookType {
        switch table {
        case .nat: .nat
        case .mangle: name == .output ? .route : .filter
        case .raw: .filter
        }
    }
}
