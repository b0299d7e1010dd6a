package import CNIProtocol
package import Redirect

/// A pod's rules as a text that the kernel's own tools take, with the reason of each in a comment, or for programs.
package enum RuleListing {
    package enum Form: String, CaseIterable, Sendable {
        case nft

        /// For `iptables-restore`, and after a line `# IPv6` for `ip6tables-restore`.
        case iptables
    }

    package static func text(_ rules: RuleSet, as form: Form) -> String {
        switch form {
        case .nft: rules.nftablesText(explained: true)
        case .iptables:
            rules.families.map { family in
                let name =
                    family == .ipv4 ? "# IPv4: iptables-restore --noflush" : "# IPv6: ip6tables-restore --noflush"
                return name + "\n" + rules.iptablesTables(family).map { $0.explainedText }.joined()
            }.joined()
        }
    }

    /// For programs: each rule with where it stands and why, in the order of the text.
    ///
    /// - Parameters:
    ///   - pod: What is said about the pod; one that is not redirected has no rules.
    ///   - form: How a rule is written.
    /// - Returns: An object.
    package static func value(_ pod: ExplainedPod, as form: Form) -> JSONValue {
        let rules = pod.plan.map { RuleSet($0) } ?? .none
        var members = [
            JSONMember("pod", .string(pod.name)), JSONMember("sentence", .string(pod.sentence)),
            JSONMember("as", .string(form.rawValue)),
        ]
        if form == .nft { members.append(JSONMember("sets", .array(rules.tables.flatMap { sets($0) }))) }
        let values =
            form == .nft ? rules.tables.flatMap { nftables($0) } : rules.families.flatMap { iptables(rules, $0) }
        return .object(members + [JSONMember("rules", .array(values))])
    }

    /// What a rule means by `@NAME`.
    private static func sets(_ table: Table) -> [JSONValue] {
        table.sets.map { set in
            .object([
                JSONMember("table", .string(table.name.nftablesName)), JSONMember("name", .string(set.name)),
                JSONMember("elements", .array(set.texts.map { .string($0) })),
            ])
        }
    }

    private static func nftables(_ table: Table) -> [JSONValue] {
        table.chains.flatMap { chain in
            chain.rules.map { rule in
                value("inet", table.name.nftablesName, chain.name.rawValue, rule.nftablesText, rule.reason)
            }
        }
    }

    private static func iptables(_ rules: RuleSet, _ family: AddressFamily) -> [JSONValue] {
        Table.Name.inIPTables.compactMap { rules.table($0) }.flatMap { table in
            table.chains.flatMap { chain in
                chain.iptablesRules(family).map { rule in
                    value(family.rawValue, table.name.rawValue, chain.name.iptablesName, rule.text, rule.reason)
                }
            }
        }
    }

    private static func value(
        _ family: String,
        _ table: String,
        _ chain: String,
        _ rule: String,
        _ reason: Rule.Reason
    ) -> JSONValue {
        .object([
            JSONMember("family", .string(family)), JSONMember("table", .string(table)),
            JSONMember("chain", .string(chain)), JSONMember("rule", .string(rule)),
            JSONMember("reason", .string(reason.rawValue)), JSONMember("explanation", .string(reason.explanation)),
        ])
    }
}
