/// How the kernel hands out one table of x_tables: `struct ipt_getinfo`, then `struct ipt_entry` after `struct ipt_entry`.
///
/// The layout is that of `<linux/netfilter_ipv4/ip_tables.h>`, `<linux/netfilter_ipv6/ip6_tables.h>` and
/// `<linux/netfilter/x_tables.h>`, where a 64-bit number begins at a multiple of eight.
package struct LegacyTableFormat: Sendable {
    static let nameBytes = 32
    static let infoBytes = 84

    /// `struct ipt_get_entries`: name, size, padding.
    static let entriesOffset = 40

    /// How many bytes all entries have.
    package let size: Int

    private let isIPv6: Bool

    /// Where the first rule of each built-in chain is, by the number of its hook.
    private let hookEntries: [Int: Int]

    /// Reads `struct ipt_getinfo`.
    package init(_ family: InternetFamily, info: [UInt8]) {
        isIPv6 = family == .ipv6
        let number = { (offset: Int) in Int(info[...].integer(UInt32.self, at: offset) ?? 0) }
        let validHooks = number(Self.nameBytes)
        var entries: [Int: Int] = [:]
        for hook in 0..<Self.hookCount where validHooks & (1 << hook) != 0 {
            entries[hook] = number(Self.nameBytes + 4 + 4 * hook)
        }
        hookEntries = entries
        size = number(Self.infoBytes - 4)
    }

    private static let hookCount = 5

    /// `NF_INET_PRE_ROUTING` and so on, as iptables calls the chains.
    private static let hookNames = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]

    // struct ipt_ip or ip6t_ip6; nfcache; target_offset; next_offset; comefrom; counters.
    private var conditionBytes: Int { isIPv6 ? 136 : 84 }
    private var entryBytes: Int { isIPv6 ? 168 : 112 }

    /// Of the conditions: which byte holds the flags, and which of them means "go, do not jump".
    private var flagsOffset: Int { isIPv6 ? 131 : 82 }
    private var gotoFlag: UInt8 { isIPv6 ? 4 : 2 }

    /// `struct xt_entry_target`: size, name, revision.
    private static let targetBytes = 32
    private static let targetNameBytes = 29

    /// Begins a chain that users made; its name follows (`XT_ERROR_TARGET`).
    private static let chainHead = "ERROR"
    private static let chainNameBytes = 30

    /// One entry, before it is known which chain it belongs to and which ones there are.
    private struct Entry {
        let offset: Int
        let next: Int
        let targetName: String

        /// Of the standard target: where to jump, or a verdict as a negative number.
        let verdict: Int

        /// Of the head of a chain.
        let chainName: String
        let isUnconditional: Bool
        let isGoto: Bool
    }

    /// Reads `struct ipt_entry` after `struct ipt_entry`.
    ///
    /// - Throws: ``Errno/badMessage`` if one has no possible size.
    package func table(
        _ name: String,
        entries bytes: ArraySlice<UInt8>,
        operation: String
    ) throws(KernelError) -> InstalledTable {
        var entries: [Entry] = []
        var offset = 0
        while offset + entryBytes + Self.targetBytes <= bytes.count {
            guard let entry = entry(at: offset, in: bytes) else {
                throw KernelError(operation, .badMessage, explanation: "a rule has a wrong size")
            }
            entries.append(entry)
            offset = entry.next
        }
        return InstalledTable(
            name: name,
            isOwned: false,
            isDormant: false,
            chains: chains(of: entries, table: name),
            sets: [],
            otherSets: []
        )
    }

    private func entry(at offset: Int, in bytes: ArraySlice<UInt8>) -> Entry? {
        let rest = bytes.dropFirst(offset)
        guard let targetOffset = rest.integer(UInt16.self, at: conditionBytes + 4).map({ Int($0) }),
            let nextOffset = rest.integer(UInt16.self, at: conditionBytes + 6).map({ Int($0) }),
            targetOffset >= entryBytes, nextOffset >= targetOffset + Self.targetBytes, nextOffset <= rest.count
        else { return nil }
        let target = rest.dropFirst(targetOffset).prefix(nextOffset - targetOffset)
        let conditions = rest.prefix(conditionBytes)
        let flags = rest[rest.startIndex + flagsOffset]
        var isUnconditional = targetOffset == entryBytes
        for (index, byte) in conditions.enumerated() where index != flagsOffset && byte != 0 { isUnconditional = false }
        return Entry(
            offset: offset,
            next: offset + nextOffset,
            targetName: text(target.dropFirst(2).prefix(Self.targetNameBytes)),
            verdict: target.integer(Int32.self, at: Self.targetBytes).map { Int($0) } ?? 0,
            chainName: text(target.dropFirst(Self.targetBytes).prefix(Self.chainNameBytes)),
            isUnconditional: isUnconditional,
            isGoto: flags & gotoFlag != 0
        )
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix { byte in byte != 0 }, as: UTF8.self)
    }

    private func chains(of entries: [Entry], table: String) -> [InstalledChain] {
        var names: [Int: String] = [:]
        for (hook, offset) in hookEntries { names[offset] = Self.hookNames[hook] }
        for entry in entries where entry.targetName == Self.chainHead { names[entry.next] = entry.chainName }

        var chains: [InstalledChain] = []
        var rules: [InstalledRule] = []
        var current: String?
        let finish = { () in
            guard let name = current else { return }
            chains.append(
                InstalledChain(name: name, base: base(name, table), dropsByDefault: false, rules: rules)
            )
        }
        for entry in entries {
            if let name = names[entry.offset] {
                finish()
                current = name
                rules = []
            }
            guard entry.targetName != Self.chainHead else { continue }
            let expressions = expressions(entry, names)
            rules.append(InstalledRule(handle: UInt64(entry.offset), expressions: expressions, counted: nil))
        }
        finish()
        return chains
    }

    private func base(_ chain: String, _ table: String) -> NFTablesBaseChain? {
        guard let number = Self.hookNames.firstIndex(of: chain), hookEntries[number] != nil,
            let hook = NFTablesBaseChain.Hook(rawValue: UInt32(number))
        else { return nil }
        switch table {
        case "nat": return NFTablesBaseChain(.nat, at: hook, priority: .destinationNAT)
        case "raw": return NFTablesBaseChain(.filter, at: hook, priority: .raw)
        default: return NFTablesBaseChain(hook == .output ? .route : .filter, at: hook, priority: .mangle)
        }
    }

    private func expressions(_ entry: Entry, _ names: [Int: String]) -> [NFTablesExpression] {
        var expressions: [NFTablesExpression] = entry.isUnconditional ? [] : [.other("conditions")]
        guard entry.targetName.isEmpty else { return expressions + [.other("target \(entry.targetName)")] }
        switch entry.verdict {
        case Self.accept: expressions.append(.verdict(.accept))
        case Self.drop: expressions.append(.verdict(.drop))
        case Self.return: expressions.append(.verdict(.return))
        // Without a target iptables writes a jump to the next rule, which is none.
        case entry.next: break
        case let offset:
            if let name = names[offset] { expressions.append(.verdict(entry.isGoto ? .goto(name) : .jump(name))) }
        }
        return expressions
    }

    /// `-NF_DROP - 1`, `-NF_ACCEPT - 1` and `XT_RETURN`.
    private static let drop = -1
    private static let accept = -2
    private static let `return` = -5
}
