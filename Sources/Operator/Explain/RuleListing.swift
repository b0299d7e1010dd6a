package import Redirect

/// A pod's rules as a text that the kernel's own tools take, with the reason of each in a comment.
package enum RuleListing {
    package enum Form: Sendable {
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
}
