package import Foundation
package import Testing

/// Compares `text` with the file, or writes it there when `UPDATE_GOLDEN` is set.
package func expectGolden(_ text: String, in file: URL, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let name = file.lastPathComponent
    if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil {
        try Data(text.utf8).write(to: file)
        Issue.record("wrote \(name): look at the difference, then run again", sourceLocation: sourceLocation)
        return
    }
    let expected = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    #expect(text == expected, "\(name): run with UPDATE_GOLDEN=1 to see it in git diff", sourceLocation: sourceLocation)
}
