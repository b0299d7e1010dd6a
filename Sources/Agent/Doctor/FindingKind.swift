/// The findings of one subject: each has an id that people search for, and so keeps for ever.
///
/// `docs/doctor.md` has the same list, which a test compares; another test has each of them produced.
package protocol FindingKind: CaseIterable, RawRepresentable, Sendable where RawValue == String {
    /// What the findings are about, as it stands in a report.
    static var subject: String { get }

    var entry: FindingEntry { get }
}

/// What is said of a finding wherever it is met.
package struct FindingEntry: Equatable, Sendable {
    package let verdict: DoctorReport.Verdict

    /// What it means for pods of the mesh.
    package let meaning: String

    /// What to do, or "" where there is nothing to do.
    package let remedy: String

    init(_ verdict: DoctorReport.Verdict, _ meaning: String, _ remedy: String = "") {
        self.verdict = verdict
        self.meaning = meaning
        self.remedy = remedy
    }
}

extension FindingKind {
    /// - Parameters:
    ///   - text: What was seen: file, key, value.
    ///   - verdict: Where this node makes it weigh less than it usually does.
    /// - Returns: The finding, with the remedy of its kind.
    func finding(_ text: String, verdict: DoctorReport.Verdict? = nil) -> DoctorReport.Finding {
        DoctorReport.Finding(
            id: rawValue,
            verdict: verdict ?? entry.verdict,
            subject: Self.subject,
            text: text,
            remedy: entry.remedy
        )
    }
}

extension DoctorReport {
    /// The kinds of finding by subject, in the order of a report.
    package static let kinds: [any FindingKind.Type] = [
        SettingFinding.self, AgentFinding.self, RuntimeFinding.self, ConfigurationFinding.self, PluginFinding.self,
        NeighbourFinding.self, KernelFinding.self, RightFinding.self, LeftoverFinding.self,
    ]

    /// The entries of one subject, by id.
    package static func entries(of kind: (some FindingKind).Type) -> [(id: String, entry: FindingEntry)] {
        kind.allCases.map { each in (each.rawValue, each.entry) }
    }
}
