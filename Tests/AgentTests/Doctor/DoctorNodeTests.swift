import Testing

@testable import Agent

/// What doctor finds on nodes of many kinds, each written after a public page.
@Suite struct DoctorNodeTests {
    /// What every node says on which no agent runs.
    private static let withoutAgent: Set<String> = ["agent-away", "annotations-unknown"]

    @Test(arguments: NodeFixture.names)
    func `a node's findings are those that stand in its file`(name: String) throws {
        let report = DoctorReport(try NodeFixture.facts(name))

        let found = report.findings.filter { finding in finding.verdict != .good }.map { finding in finding.id }
        let expected = Set(try NodeFixture(name).findings).union(Self.withoutAgent)
        #expect(Set(found) == expected, "\(report.text(hasColour: false))")
    }

    @Test(arguments: NodeFixture.names)
    func `a node names the page that it was written after`(name: String) throws {
        let sources = try NodeFixture(name).sources

        #expect(!sources.isEmpty)
        #expect(sources.allSatisfy { source in source.hasPrefix("https://") || source.hasPrefix("docs/") })
        // A branch moves on; a commit is what was read.
        let files = sources.filter { source in source.contains("/blob/") }
        #expect(files.allSatisfy { source in source.contains(/\/blob\/[0-9a-f]{40}\//) }, "\(files)")
    }

    @Test func `every id is produced by a node, or by an agent's answer`() throws {
        var produced = Set(Self.answers.flatMap { facts in DoctorReport(facts).findings.map { $0.id } })
        for name in NodeFixture.names {
            produced.formUnion(DoctorReport(try NodeFixture.facts(name)).findings.map { finding in finding.id })
        }

        let all = DoctorReport.kinds.flatMap { kind in DoctorReport.entries(of: kind).map { $0.id } }
        #expect(produced == Set(all))
        #expect(all.count == Set(all).count)
    }

    /// What cannot be made of files: an agent that answers, and settings that are wrong.
    private static var answers: [DoctorFacts] {
        let states: [AgentFacts.State] = [
            .answers(reasons: [], passesAnnotations: true), .answers(reasons: ["no pods"], passesAnnotations: false),
        ]
        var all = states.map { state in
            var facts = DoctorFacts()
            facts.agent.state = state
            return facts
        }
        var facts = DoctorFacts()
        facts.agent.hasDeadSocket = true
        facts.settingProblems = ["X is wrong"]
        all.append(facts)
        return all
    }
}
