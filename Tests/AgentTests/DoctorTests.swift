import Testing

@testable import Agent

/// What `install-cni doctor` makes of what it sees.
@Suite struct DoctorTests {
    /// A node with which all is well.
    private static var healthy: DoctorFacts {
        var facts = DoctorFacts()
        facts.capabilities = .max
        facts.loadedFile = "10-x.conflist"
        facts.filesWithEntry = ["10-x.conflist"]
        facts.hasPlugin = true
        facts.hasProcesses = true
        facts.repairs = true
        facts.agent = .answers(reasons: [], passesAnnotations: true)
        return facts
    }

    @Test func `a node with everything is good`() {
        let report = DoctorReport(Self.healthy)

        #expect(report.isGood)
        #expect(report.findings.allSatisfy { finding in finding.verdict == .good })
        #expect(report.findings.count == 8)
    }

    private static let faults: [(subject: String, breakIt: @Sendable (inout DoctorFacts) -> Void)] = [
        ("settings", { facts in facts.settingProblems = ["X is wrong"] }),
        ("agent", { facts in facts.agent = .away("no agent answers") }),
        ("agent", { facts in facts.agent = .answers(reasons: ["no pods"], passesAnnotations: true) }),
        ("configuration", { facts in facts.configurationProblem = "cannot be read" }),
        ("configuration", { facts in facts.loadedFile = nil }),
        ("configuration", { facts in facts.loadedFile = "05-other.conflist" }),
        ("plugin", { facts in facts.hasPlugin = false }),
        ("capabilities", { facts in facts.capabilities = 1 << 12 }),
        ("host's /proc", { facts in facts.hasProcesses = false }),
    ]

    @Test(arguments: faults.indices)
    func `what is missing is named, and alone`(index: Int) {
        let (subject, breakIt) = Self.faults[index]
        var facts = Self.healthy
        breakIt(&facts)

        let report = DoctorReport(facts)

        #expect(!report.isGood)
        #expect(
            report.findings.filter { finding in finding.verdict == .bad }.map { finding in finding.subject } == [
                subject
            ]
        )
    }

    @Test func `what only costs speed is no fault`() {
        var facts = Self.healthy
        facts.missingFromNFTables = "set expression: no such file"
        facts.agent = .answers(reasons: [], passesAnnotations: false)

        let report = DoctorReport(facts)

        #expect(report.isGood)
        #expect(report.findings.count { finding in finding.verdict == .doubtful } == 2)
    }

    @Test func `capabilities are read from the kernel's text`() {
        #expect(DoctorFacts.capabilities(in: "Name:\tx\nCapEff:\t00000000a80425fb\n") == 0xa804_25fb)
        #expect(DoctorFacts.capabilities(in: "") == 0)
    }

    @Test func `this node can be looked at`() {
        let report = DoctorReport(environment: ["CNI_AGENT_RUN_DIR": "relative"])

        #expect(report.findings.first?.verdict == .bad)
        #expect(report.text(hasColour: false).contains("CNI_AGENT_RUN_DIR"))
    }

    @Test func `what is typed wins over the environment`() {
        let report = DoctorReport(
            arguments: [.podSource: "directory:/srv/pods", .agentRunDirectory: "/nobody/is/here"],
            environment: ["CNI_AGENT_RUN_DIR": "relative"]
        )

        #expect(report.findings.first?.verdict == .good)
        #expect(report.text(hasColour: false).contains("/nobody/is/here/pluginevent.sock"))
    }
}
