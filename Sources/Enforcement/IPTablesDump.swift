internal import Redirect

/// The tables of one family as `iptables-save` prints them.
struct IPTablesDump: Equatable {
    private(set) var tables: [Table] = []

    /// One table: its chains, and its rules as `-A` lines, in the order of the kernel.
    struct Table: Equatable {
        let name: String
        var chains: [String] = []
        var rules: [String] = []
    }

    /// Reads what `iptables-save` prints; comments and counters are left out.
    ///
    /// Lines of a form that it does not print are ignored: they can only be the tool's own remarks.
    init(_ text: String) {
        for line in text.split(separator: "\n") {
            if line.hasPrefix("*") {
                tables.append(Table(name: String(line.dropFirst())))
            } else if tables.isEmpty {
                continue
            } else if line.hasPrefix(":") {
                let name = line.dropFirst().prefix { $0 != " " }
                tables[tables.count - 1].chains.append(String(name))
            } else if line.hasPrefix("-A ") {
                tables[tables.count - 1].rules.append(String(line))
            }
        }
    }

    func table(_ name: String) -> Table? {
        tables.first { $0.name == name }
    }

    /// Whether any chain here is one of redirection, ours or upstream's: both have the same names.
    var redirects: Bool {
        for table in tables where !table.ownChains.isEmpty { return true }
        return false
    }
}

extension IPTablesDump.Table {
    /// Chains that belong to redirection.
    var ownChains: [String] { chains.filter { $0.hasPrefix("ISTIO_") } }

    /// Rules of redirection outside of its own chains.
    ///
    /// Two forms carry no mark of their owner: `-i NAME -j RETURN` and `-o NAME -j RETURN` (excluded
    /// interfaces). They count as ours in a table that has our chains.
    var ownBaseRules: [String] {
        rules.filter { rule in
            let words = rule.split(separator: " ")
            guard words.count >= 4, !words[1].hasPrefix("ISTIO_") else { return false }
            if let target = words.last, words[words.count - 2] == "-j", target.hasPrefix("ISTIO_") { return true }
            guard !ownChains.isEmpty else { return false }
            return words.isExcludedInterface || words.isTransparentMark
        }
    }

    /// The rules of one chain, in order.
    func rules(of chain: String) -> [String] {
        rules.filter { $0.hasPrefix("-A \(chain) ") }
    }

    /// Input for `iptables-restore --noflush` that removes what is here and puts `wanted` in its place.
    func replacement(_ wanted: IPTablesTable?) -> String {
        var lines = ["*\(name)"]
        lines += ownBaseRules.map { "-D" + String($0.dropFirst(2)) }
        let kept = wanted?.chains ?? []
        let stale = ownChains.filter { !kept.contains($0) }
        lines += stale.map { "-F \($0)" }
        lines += kept.map { ":\($0) - [0:0]" }
        lines += wanted?.rules ?? []
        // Last: until now a chain may have led here.
        lines += stale.map { "-X \($0)" }
        lines.append("COMMIT\n")
        return lines.joined(separator: "\n")
    }

    /// What differs from `wanted`, a line each; rules of others do not count.
    func differences(from wanted: IPTablesTable?) -> [String] {
        var differences: [String] = []
        for chain in ownChains where !(wanted?.chains.contains(chain) ?? false) {
            differences.append("\(name): chain \(chain) is not wanted")
        }
        let base = (wanted?.rules ?? []).filter { !$0.hasPrefix("-A ISTIO_") }
        differences += lineDifferences(wanted: base, found: ownBaseRules)
        for chain in wanted?.chains ?? [] {
            let prefix = "-A \(chain) "
            let rules = (wanted?.rules ?? []).filter { $0.hasPrefix(prefix) }
            differences += lineDifferences(wanted: rules, found: self.rules(of: chain))
        }
        return differences
    }

    private func lineDifferences(wanted: [String], found: [String]) -> [String] {
        guard wanted != found else { return [] }
        var rest = found
        var differences: [String] = []
        for rule in wanted {
            if let index = rest.firstIndex(of: rule) {
                rest.remove(at: index)
            } else {
                differences.append("\(name): missing: \(rule)")
            }
        }
        differences += rest.map { "\(name): not wanted: \($0)" }
        return differences.isEmpty ? ["\(name): the rules are in another order"] : differences
    }
}

extension [Substring] {
    /// `-A OUTPUT -o net1 -j RETURN` and nothing more.
    fileprivate var isExcludedInterface: Bool {
        count == 6 && (self[2] == "-i" || self[2] == "-o") && self[4] == "-j" && self[5] == "RETURN"
    }

    /// A rule of TPROXY that sets, keeps or restores one of the proxy's marks.
    fileprivate var isTransparentMark: Bool {
        let marks = ["0x539", "0x53a", "0x53a/0xffffffff", "0x539/0xffffffff"]
        for word in self where marks.contains(String(word)) { return true }
        return false
    }
}
