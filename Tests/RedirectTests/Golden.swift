import Foundation
import TestSupport
import Testing

/// Compares `text` with `Golden/<name>`, or writes it there when `UPDATE_GOLDEN` is set.
func expectGolden(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name)")
    try expectGolden(text, in: file, sourceLocation: sourceLocation)
}
