import Foundation

/// The files of this repository as git sees them: what is tracked, and what is new and not ignored.
///
/// Read from the disk and not from `git ls-files`, so that a copy without `.git` can be tested too.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        .standardized

    /// Folders that a build makes, or that belong to git.
    private static let ignored: Set<String> = [".git", "dist", ".libraries", "__pycache__"]

    /// Every file, as a path below the root.
    static let files: [String] = list("")

    static let sources = files.filter { $0.hasPrefix("Sources/") && $0.hasSuffix(".swift") }
    static let swiftFiles = files.filter { $0.hasSuffix(".swift") }
    static let pages = files.filter { $0.hasSuffix(".md") }

    static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: root.appending(path: path)), as: UTF8.self)
    }

    static func lines(_ path: String) throws -> [Substring] {
        try text(path).split(separator: "\n", omittingEmptySubsequences: false)
    }

    private static func list(_ folder: String) -> [String] {
        let url = root.appending(path: folder)
        // A folder that cannot be read shows in the tests, which then find no file to look at.
        let entries =
            (try? FileManager.default.contentsOfDirectory(atPath: url.path(percentEncoded: false))) ?? []
        return entries.sorted().flatMap { name -> [String] in
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            guard !ignored.contains(name), !name.hasPrefix(".build") else { return [] }
            var isFolder: ObjCBool = false
            let found = FileManager.default.fileExists(
                atPath: root.appending(path: path).path(percentEncoded: false),
                isDirectory: &isFolder
            )
            guard found else { return [] }
            return isFolder.boolValue ? list(path) : [path]
        }
    }
}
