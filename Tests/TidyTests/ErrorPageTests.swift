import CNIProtocol
import Testing

/// The list of codes in the source and the one in docs/errors.md are the same list.
@Suite struct ErrorPageTests {
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
}
