/// What one ADD came to: the plugin's answer, and everything of the namespace that a recording has.
struct SandboxState: Equatable, Sendable {
    var exit = 0

    /// The code and message of the CNI error.
    var errorCode: Int?
    var errorMessage = ""

    var iptables = SavedTables([])
    var ip6tables = SavedTables([])
    var rules4: [String]
    var rules6: [String]
    var table133v4: [String] = []
    var table133v6: [String] = []

    /// The addresses of `lo`, sorted.
    var loopback: [String]

    /// A namespace that nothing was done to.
    static let untouched = SandboxState(
        rules4: ["0:\tfrom all lookup local", "32766:\tfrom all lookup main", "32767:\tfrom all lookup default"],
        rules6: ["0:\tfrom all lookup local", "32766:\tfrom all lookup main"],
        loopback: ["127.0.0.1/8", "::1/128"]
    )

    /// Each thing that is not as expected, in a line.
    func differences(from expected: SandboxState) -> [String] {
        var lines: [String] = []
        func compare<Value: Equatable>(_ what: String, _ path: KeyPath<SandboxState, Value>) {
            guard self[keyPath: path] != expected[keyPath: path] else { return }
            lines.append("\(what): expected \(expected[keyPath: path]), is \(self[keyPath: path])")
        }
        compare("exit status", \.exit)
        compare("error code", \.errorCode)
        lines += iptables.differences(from: expected.iptables).map { "iptables: \($0)" }
        lines += ip6tables.differences(from: expected.ip6tables).map { "ip6tables: \($0)" }
        compare("ip rule", \.rules4)
        compare("ip -6 rule", \.rules6)
        compare("ip route, table 133", \.table133v4)
        compare("ip -6 route, table 133", \.table133v6)
        compare("lo", \.loopback)
        return lines
    }
}

extension SandboxState {
    init(_ recorded: RecordedState) {
        self.init(
            exit: recorded.exit,
            errorCode: recorded.error?.code,
            errorMessage: recorded.error?.msg ?? "",
            iptables: SavedTables(recorded.iptables),
            ip6tables: SavedTables(recorded.ip6tables),
            rules4: Self.trimmed(recorded.rule4),
            rules6: Self.trimmed(recorded.rule6),
            table133v4: Self.trimmed(recorded.table133v4),
            table133v6: Self.trimmed(recorded.table133v6),
            loopback: recorded.lo.sorted()
        )
    }

    /// Without blank lines, and without the blanks that iproute2 leaves at the end of a line.
    static func trimmed(_ lines: [String]) -> [String] {
        lines.map { line in String(line.reversed().drop { $0.isWhitespace }.reversed()) }.filter { !$0.isEmpty }
    }
}

/// What `iptables-nft-save` prints, by table and chain, each chain in its order.
///
/// Built-in chains without a rule are left out: they appear as soon as somebody looks at a table.
struct SavedTables: Equatable, Sendable {
    private(set) var chains: [ChainName: [String]] = [:]

    struct ChainName: Hashable, Comparable, CustomStringConvertible {
        let table: String
        let chain: String

        var description: String { "\(table) \(chain)" }

        static func < (left: ChainName, right: ChainName) -> Bool { left.description < right.description }
    }

    init(_ lines: [String]) {
        var table = ""
        for line in lines {
            let words = line.split(separator: " ")
            if line.hasPrefix("*") { table = String(line.dropFirst()) }
            if line.hasPrefix(":"), words.count > 1, words[1] == "-" {
                chains[ChainName(table: table, chain: String(words[0].dropFirst()))] = []
            }
            if line.hasPrefix("-"), words.count > 1 {
                chains[ChainName(table: table, chain: String(words[1])), default: []].append(line)
            }
        }
    }

    func differences(from expected: SavedTables) -> [String] {
        Set(chains.keys).union(expected.chains.keys).sorted().compactMap { name in
            guard chains[name] != expected.chains[name] else { return nil }
            func text(_ rules: [String]?) -> String {
                rules.map { "\n    " + $0.joined(separator: "\n    ") } ?? "no chain"
            }
            return "\(name): expected \(text(expected.chains[name])), is \(text(chains[name]))"
        }
    }
}
