import Foundation
import TestSupport
import Testing

@testable import Agent

/// docs/configuration.md is made from the definitions in the source, and from nothing else.
@Suite struct ConfigurationPageTests {
    @Test func `docs/configuration.md is what the source says`() throws {
        let page = URL(filePath: #filePath)
            .deletingLastPathComponent().appending(path: "../../docs/configuration.md").standardized

        try expectGolden(Self.page, in: page)
    }

    static let page = """
        # Configuration

        Made from `Sources/Agent/Configuration/`. Change that, then write this page:
        `UPDATE_GOLDEN=1 swift test --filter ConfigurationPageTests`.

        A flag wins over the environment variable beside it, and that over the default. A variable that is set to
        nothing is set: to false, to 0, or to nothing. What is not empty and cannot be read is refused: the agent
        logs every such setting with what would be accepted, and ends with status 1. So are settings that cannot
        work together. With the official chart, variables are set under `env:` in its values.

        \(AgentSetting.Group.allCases.map(section).joined(separator: "\n"))
        ## Accepted, without effect

        Settings of upstream's agent, or of its chart, that change nothing here. The log names those that are set,
        once, and every flag and variable that looks like one of the agent's and is none.

        | Flag | Variable | Why |
        |---|---|---|
        \(IdleSetting.all.map(row).joined(separator: "\n"))

        """

    private static func section(_ group: AgentSetting.Group) -> String {
        let settings = AgentSetting.allCases.filter { setting in setting.group == group }
        return """
            ## \(group.rawValue)

            | Flag | Variable | What it is | Value | Default |
            |---|---|---|---|---|
            \(settings.map(row).joined(separator: "\n"))

            """
    }

    private static func row(_ setting: AgentSetting) -> String {
        let flag = setting.flag.map { flag in "`--\(flag)`" } ?? "—"
        let variables = setting.variables.map { variable in "`\(variable)`" }.joined(separator: ", ")
        let absent = setting.defaultValue.isEmpty ? "empty" : "`\(setting.defaultValue)`"
        return
            "| \(flag) | \(variables.isEmpty ? "—" : variables) | \(setting.summary) | \(setting.form.expectation) | "
            + "\(absent) |"
    }

    private static func row(_ setting: IdleSetting) -> String {
        let flag = setting.isFlag ? "`--\(setting.name)`" : "—"
        let variable = setting.variable.map { variable in "`\(variable)`" } ?? "—"
        return "| \(flag) | \(variable) | \(setting.reason) |"
    }
}
