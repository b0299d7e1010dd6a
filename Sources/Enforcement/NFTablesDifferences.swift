internal import LinuxKernel
internal import Redirect

extension RuleSet {
    /// What is different in the kernel's tables, a line each in nft's words; empty if nothing is.
    ///
    /// - Parameter installed: Those of our tables that exist.
    /// - Returns: One line for each thing that is missing, not wanted or changed.
    func differences(from installed: [InstalledTable]) -> [String] {
        var differences: [String] = []
        for name in Table.Name.allCases {
            let found = installed.first { $0.name == name.nftablesName }
            guard let wanted = table(name) else {
                if found != nil { differences.append("table inet \(name.nftablesName) is not wanted") }
                continue
            }
            guard let found else {
                differences.append("table inet \(name.nftablesName) is missing")
                continue
            }
            differences += wanted.differences(from: found)
        }
        return differences
    }
}

extension Table {
    fileprivate func differences(from found: InstalledTable) -> [String] {
        let place = "table inet \(name.nftablesName)"
        var differences: [String] = []
        if found.isDormant { differences.append("\(place) is switched off (dormant)") }
        let sets = self.sets.map { NFTablesSet($0) }
        for set in sets {
            guard let other = found.sets.first(where: { $0.name == set.name }) else {
                differences.append("\(place): set \(set.name) is missing")
                continue
            }
            if other != set { differences.append("\(place): set \(set.name) has other elements") }
        }
        for chain in chains {
            guard let other = found.chains.first(where: { $0.name == chain.name.rawValue }) else {
                differences.append("\(place): chain \(chain.name.rawValue) is missing")
                continue
            }
            differences += chain.differences(from: other, in: name).map { "\(place), chain \(other.name): \($0)" }
        }
        for other in found.chains where chains.firstIndex(where: { $0.name.rawValue == other.name }) == nil {
            differences.append("\(place): chain \(other.name) is not wanted")
        }
        return differences
    }
}

extension Chain {
    fileprivate func differences(from found: InstalledChain, in table: Table.Name) -> [String] {
        var differences: [String] = []
        if found.base != NFTablesBaseChain(self, in: table) {
            differences.append("it is hooked in another place")
        }
        if found.dropsByDefault { differences.append("its policy is drop") }
        let wanted = rules.map { $0.nftablesExpressions }
        var rest = found.rules.map { $0.expressions }
        guard wanted != rest else { return differences }

        var isComplete = true
        for (rule, expressions) in zip(rules, wanted) {
            if let index = rest.firstIndex(of: expressions) {
                rest.remove(at: index)
            } else {
                isComplete = false
                differences.append("missing: \(rule.nftablesText)")
            }
        }
        for expressions in rest { differences.append("not wanted: \(NFTablesRuleText.text(of: expressions))") }
        if isComplete, rest.isEmpty { differences.append("the rules are in another order") }
        return differences
    }
}
