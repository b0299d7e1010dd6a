import Foundation
import LinuxKernel
import Redirect
import TestSupport

/// Replays recorded pods with a built plugin and agent, iptables forced, and compares what is left in the sandbox.
///
/// Usage: `ReplayRedirects FILE.jsonl PLUGIN AGENT`. Closes with `N passed, N failed`.
@main
enum ReplayRedirects {
    static func main() async throws {
        guard CommandLine.arguments.count == 4 else {
            throw ReplayFailure("usage: ReplayRedirects FILE.jsonl PLUGIN AGENT")
        }
        let cases = try RecordedCase.all(in: URL(filePath: CommandLine.arguments[1]))
        let node = try ReplayNode(plugin: CommandLine.arguments[2], agent: CommandLine.arguments[3], cases: cases)
        defer { node.stop() }
        var failed = 0
        for recorded in cases {
            let differences = try differences(of: recorded, on: node)
            guard !differences.isEmpty else { continue }
            failed += 1
            print("\(recorded.id): \(differences.joined(separator: "\n    "))")
        }
        print("\(cases.count - failed) passed, \(failed) failed")
        if failed > 0 { exit(1) }
    }

    private static func differences(of recorded: RecordedCase, on node: ReplayNode) throws -> [String] {
        let namespace = try NetworkNamespace.makeNew()
        try RouteSocket(in: namespace).setLoopbackUp()
        let outcome = try node.add(recorded, to: namespace.rawDescriptor)
        let seen = try Sandbox(namespace)
        var differences: [String] = []
        var exit = recorded.expected.exit
        if let intended = IntendedDifference.all.first(where: { $0.applies(recorded.pod) }) {
            exit = intended.exit
            if let problem = intended.problem(outcome, recorded.pod) {
                differences.append("\(intended.reason): \(problem)")
            }
        }
        if outcome.ending != .exit(exit) {
            differences.append("exit: expected \(exit), was \(outcome.ending): \(outcome.text)")
        }
        let expected = recorded.expected
        compare("iptables", Sandbox.rules(expected.iptables), Sandbox.rules(seen.iptables), &differences)
        compare("ip6tables", Sandbox.rules(expected.ip6tables), Sandbox.rules(seen.ip6tables), &differences)
        compare("ip rule", expected.rule4, seen.rule4, &differences)
        compare("ip -6 rule", expected.rule6, seen.rule6, &differences)
        compare("table 133", expected.table133v4, seen.table133v4, &differences)
        compare("table 133, IPv6", expected.table133v6, seen.table133v6, &differences)
        compare("lo", expected.lo, seen.lo, &differences)
        return differences
    }

    private static func compare<Value: Equatable>(
        _ name: String,
        _ expected: Value,
        _ seen: Value,
        _ differences: inout [String]
    ) {
        if expected != seen { differences.append("\(name): expected \(expected), was \(seen)") }
    }
}

struct ReplayFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension ChildProcess.Outcome {
    /// What the plugin told the runtime.
    var text: String { String(decoding: standardOutput, as: UTF8.self) }
}

/// What can be read back from a sandbox.
struct Sandbox {
    let iptables: [String]
    let ip6tables: [String]
    let rule4: [String]
    let rule6: [String]
    let table133v4: [String]
    let table133v6: [String]
    let lo: [String]

    init(_ namespace: borrowing NetworkNamespace) throws {
        iptables = try Self.lines(namespace, "iptables-nft-save")
        ip6tables = try Self.lines(namespace, "ip6tables-nft-save")
        rule4 = try Self.lines(namespace, "ip", "rule")
        rule6 = try Self.lines(namespace, "ip", "-6", "rule")
        table133v4 = try Self.lines(namespace, "ip", "route", "show", "table", "133")
        table133v6 = try Self.lines(namespace, "ip", "-6", "route", "show", "table", "133")
        lo = try Self.lines(namespace, "ip", "-o", "address", "show", "dev", "lo").compactMap { line in
            let words = line.split(separator: " ")
            return words.firstIndex { $0 == "inet" || $0 == "inet6" }.map { String(words[$0 + 1]) }
        }
    }

    /// The rules of each table and chain; what has no rule says nothing, like the empty tables of upstream's detection.
    static func rules(_ lines: [String]) -> [String: [String]] {
        var result: [String: [String]] = [:]
        var table = ""
        for line in lines {
            if line.hasPrefix("*") { table = String(line.dropFirst()) }
            guard line.hasPrefix("-A ") else { continue }
            result["\(table) \(line.split(separator: " ")[1])", default: []].append(line)
        }
        return result
    }

    /// A program's lines; one that fails has nothing to list (a routing table that does not exist).
    private static func lines(_ namespace: borrowing NetworkNamespace, _ words: String...) throws -> [String] {
        let program = ChildProcess(
            "/usr/bin/env",
            words,
            environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"],
            deadlineMilliseconds: 60_000
        )
        let text = String(decoding: try program.run(in: namespace).standardOutput, as: UTF8.self)
        return text.split(separator: "\n").map(String.init)
    }
}
