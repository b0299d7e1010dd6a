internal import LinuxKernel
internal import Redirect

/// Rules put in place by `iptables-restore`, once per family.
struct IPTablesBackend {
    private let programs: IPTablesPrograms

    init(_ programs: IPTablesPrograms) {
        self.programs = programs
    }

    /// Makes `rules` the whole of redirection, or leaves everything as it was.
    ///
    /// - Parameters:
    ///   - rules: What is wanted.
    ///   - namespace: The pod's.
    ///   - isFresh: Whether nf_tables shows no sign of redirection, so that nothing need be read first.
    /// - Throws: What was refused, or which program is missing.
    func apply(
        _ rules: RuleSet,
        in namespace: borrowing NetworkNamespace,
        isFresh: Bool
    ) throws(EnforcementError) {
        do throws(EnforcementError) {
            for family in AddressFamily.allCases {
                try apply(rules.iptablesTables(family), family, in: namespace, isFresh: isFresh)
            }
        } catch {
            // Half of it is worse than none; the first failure is the one to report.
            if isFresh { try? remove(from: namespace) }
            throw error
        }
    }

    private func apply(
        _ wanted: [IPTablesTable],
        _ family: AddressFamily,
        in namespace: borrowing NetworkNamespace,
        isFresh: Bool
    ) throws(EnforcementError) {
        if wanted.isEmpty, isFresh { return }
        var failure = IPTablesPrograms.missing(family)
        for variant in programs.variants(family) {
            if isFresh, !variant.isLegacy {
                do throws(EnforcementError) {
                    return try variant.restore(wanted.map { $0.restoreText }.joined(), in: namespace)
                } catch {
                    failure = error
                    // Where this variant works, another one would not take the rules either.
                    if try variant.dump(namespace) != nil { throw error }
                }
            } else if let dump = try variant.dump(namespace) {
                let text = dump.replacement(wanted)
                return text.isEmpty ? () : try variant.restore(text, in: namespace)
            } else {
                failure = .programFailed(variant.save, output: "it does not work on this kernel")
            }
        }
        guard wanted.isEmpty else { throw failure }
    }

    /// Removes redirection, whichever variant put it there.
    func remove(from namespace: borrowing NetworkNamespace) throws(EnforcementError) {
        for family in AddressFamily.allCases {
            for variant in programs.variants(family) {
                guard let dump = try variant.dump(namespace), dump.redirects else { continue }
                try variant.restore(dump.replacement([]), in: namespace)
            }
        }
    }

    /// What differs from `rules`, a line each.
    func differences(
        from rules: RuleSet,
        in namespace: borrowing NetworkNamespace
    ) throws(EnforcementError) -> [String] {
        var differences: [String] = []
        for family in AddressFamily.allCases {
            let wanted = rules.iptablesTables(family)
            guard let dump = try dump(family, in: namespace) else {
                if !wanted.isEmpty { throw IPTablesPrograms.missing(family) }
                continue
            }
            differences += dump.differences(from: wanted).map { "\(family.rawValue) \($0)" }
        }
        return differences
    }

    /// The rules of the variant that has redirection, or of the best one.
    private func dump(
        _ family: AddressFamily,
        in namespace: borrowing NetworkNamespace
    ) throws(EnforcementError) -> IPTablesDump? {
        var best: IPTablesDump?
        for variant in programs.variants(family) {
            guard let dump = try variant.dump(namespace) else { continue }
            if dump.redirects { return dump }
            best = best ?? dump
        }
        return best
    }
}

extension IPTablesDump {
    /// Input for `iptables-restore` that puts `wanted` in the place of what is here; empty if both are nothing.
    func replacement(_ wanted: [IPTablesTable]) -> String {
        var text = ""
        for table in tables {
            let next = wanted.first { $0.name == table.name }
            if next != nil || !table.ownChains.isEmpty { text += table.replacement(next) }
        }
        for table in wanted where self.table(table.name) == nil { text += table.restoreText }
        return text
    }

    func differences(from wanted: [IPTablesTable]) -> [String] {
        var differences: [String] = []
        for table in tables {
            differences += table.differences(from: wanted.first { $0.name == table.name })
        }
        for table in wanted where self.table(table.name) == nil {
            differences.append("table \(table.name) is missing")
        }
        return differences
    }
}
