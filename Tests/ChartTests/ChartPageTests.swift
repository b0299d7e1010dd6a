import CNIProtocol
import Foundation
import Operator
import TestSupport
import Testing

/// docs/chart.md is made from the chart's defaults, its schema and the file of differences.
@Suite struct ChartPageTests {
    @Test func `docs/chart.md is what the chart says`() throws {
        let rows = try Self.rows().map { row in "| `\(row.key)` | \(row.value) | \(row.text) |" }
        let differences = try IntendedDifference.all().map { difference in
            "| \(difference.object) | `\(difference.path.isEmpty ? "the whole object" : difference.path)` | \(difference.reason) |"
        }
        let page =
            Self.head + rows.joined(separator: "\n") + "\n" + Self.middle + differences.joined(separator: "\n")
            + "\n" + Self.foot

        try expectGolden(page, in: RenderedChart.root.appending(path: "docs/chart.md"))
    }

    @Test func `every key has a description, and every default a key in the schema`() throws {
        let schema = try Self.schema()

        let described = Self.keys(of: .object([JSONMember("properties", schema["$defs"] ?? .null)]), "")
        for (key, node) in described { #expect(node["description"]?.string?.hasSuffix(".") == true, "\(key)") }
        let known = Set(described.map { key, _ in key })
        for row in try Self.rows() { #expect(known.contains(row.key), "\(row.key)") }
        #expect(known.count > 80)
    }

    private typealias Row = (key: String, value: String, text: String)

    private static func schema() throws -> JSONValue {
        try JSONValue(parsing: Array(Data(contentsOf: RenderedChart.folder.appending(path: "values.schema.json"))))
    }

    /// Every default that is no group, in the order of values.yaml.
    private static func rows() throws -> [Row] {
        let file = RenderedChart.folder.appending(path: "values.yaml")
        let document = try YAMLDocuments.read(String(contentsOf: file, encoding: .utf8)).first
        let defaults = try #require(document?["_internal_defaults_do_not_set"])
        let nodes = keys(of: .object([JSONMember("properties", try schema()["$defs"] ?? .null)]), "")
        let texts = Dictionary(nodes.map { ($0.key, $0.node["description"]?.string ?? "") }) { first, _ in first }
        return leaves(of: defaults, "", isGroup: { key in nodes.contains { $0.key.hasPrefix("\(key).") } }).map { row in
            (row.key, "`\(row.value.text())`", (texts[row.key] ?? "").replacing("|", with: "\\|"))
        }
    }

    private static func leaves(
        of value: JSONValue,
        _ prefix: String,
        isGroup: (String) -> Bool
    ) -> [(key: String, value: JSONValue)] {
        (value.members ?? []).flatMap { member -> [(key: String, value: JSONValue)] in
            let key = prefix + member.name
            let hasDescribedParts = !["resources", "updateStrategy", "global.defaultResources"].contains(key)
            guard hasDescribedParts, isGroup(key) else { return [(key, member.value)] }
            return leaves(of: member.value, "\(key).", isGroup: isGroup)
        }
    }

    private static func keys(of schema: JSONValue, _ prefix: String) -> [(key: String, node: JSONValue)] {
        (schema["properties"]?.members ?? []).flatMap { member in
            [(prefix + member.name, member.value)] + keys(of: member.value, "\(prefix)\(member.name).")
        }
    }

    private static let head = """
        # The chart

        Made from `charts/istio-cni` and `charts/differences.json`. Change those, then write this page:
        `UPDATE_GOLDEN=1 swift test --filter ChartPageTests`.

        `charts/istio-cni` is a drop-in for Istio's official chart `cni`: the same values, the same names of objects, so
        a release of that one can be upgraded to this one. Keys are set as they stand here, or below `cni`. The last of
        these wins: default, `profile`, `compatibilityVersion`, `platform`, the key, the key below `cni`. Maps merge; lists
        replace. A key that is not known is an error; those of Istio's other charts and of older charts are let pass.

        | Key | Default | What it is |
        |---|---|---|

        """

    private static let middle = """

        ## Where it is not the official chart

        What `ChartTests` find between the official rendering of 28 sets of values and this one's, and nothing else.

        | Object | Path | Why |
        |---|---|---|

        """

    private static let foot = """

        And in what values do:

        | What | Official | Here |
        |---|---|---|
        | a key that is misspelt or has a wrong type | is ignored | an error that names it (`values.schema.json`) |
        | a flat key that `platform` or `profile` sets as well | the platform's value wins | the user's wins |
        | `hub` not set | a registry of Istio's | an error: no public registry holds this image yet |
        | `global.networkPolicy` with `resourceScope: cluster` | the NetworkPolicy is made | it is not: it belongs to the namespace |
        | `GOMEMLIMIT` | for the Go runtime | sent, so that both render alike; has no effect |

        """
}
