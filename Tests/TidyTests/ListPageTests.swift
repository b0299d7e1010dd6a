import CNIProtocol
import Redirect
import Testing

/// A list that stands in the source and on a page is the same list.
@Suite struct ListPageTests {
    @Test(arguments: CNIError.Code.allCases)
    func `docs/errors.md says what a code means and what to do`(code: CNIError.Code) throws {
        let row = "| \(code.rawValue) | `\(code.name)` | \(code.meaning) | \(code.remedy) |"

        #expect(try Repository.lines("docs/errors.md").contains { $0 == row }, "docs/errors.md lacks the row:\n\(row)")
    }

    @Test func `docs/errors.md has no row for a code that is not one of ours`() throws {
        let numbers = try Repository.lines("docs/errors.md").compactMap { line -> UInt32? in
            let cells = line.split(separator: "|")
            return cells.first.flatMap { UInt32($0.filter { $0 != " " }) }
        }

        #expect(numbers == CNIError.Code.allCases.map(\.rawValue))
    }

    @Test(arguments: CNIError.Code.allCases)
    func `docs/troubleshooting.md says what to do first about a code`(code: CNIError.Code) throws {
        let rows = try Repository.lines("docs/troubleshooting.md").filter { row in
            let cells = row.split(separator: "|", maxSplits: 2)
            return cells.first?.split(separator: ",").contains { Int($0.filter { $0 != " " }) == Int(code.rawValue) }
                ?? false
        }

        #expect(rows.count == 1 && rows[0].contains("`\(code.name)`"), "\(code.rawValue) `\(code.name)`")
    }

    @Test func `docs/rules.md has one row for each reason of a rule`() throws {
        let listed = try Repository.lines("docs/rules.md").compactMap { line in
            line.hasPrefix("| `") ? line.dropFirst(3).split(separator: "`").first.map(String.init) : nil
        }

        for reason in Rule.Reason.allCases {
            #expect(listed.filter { $0 == reason.rawValue }.count == 1, "docs/rules.md: \(reason.rawValue)")
        }
    }
}
