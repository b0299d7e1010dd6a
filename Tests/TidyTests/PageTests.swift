import Foundation
import Testing

/// What a reader of the repository relies on: titles, links, verbs, and files that must not be here.
@Suite struct PageTests {
    /// Scripts that the Makefile names and that are written next; empty once issue 2 is closed.
    static let arriving: Set<String> = []

    @Test(arguments: Repository.pages)
    func `a page has one title`(path: String) throws {
        var fenced = false
        var titles = 0
        for line in try Repository.lines(path) {
            if line.hasPrefix("```") { fenced.toggle() }
            if !fenced, line.hasPrefix("# ") { titles += 1 }
        }

        #expect(titles == 1, "\(path) has \(titles) titles")
    }

    @Test(arguments: Repository.pages)
    func `a link to a file of the repository leads somewhere`(path: String) throws {
        let folder = URL(filePath: path, relativeTo: Repository.root).deletingLastPathComponent()
        let targets = try Repository.text(path).matches(of: /\]\(([^)#\s]+)(?:#[^)]*)?\)/).map {
            String($0.1)
        }

        for target in targets where !target.contains("://") {
            let file = folder.appending(path: target).standardizedFileURL.path(percentEncoded: false)
            #expect(FileManager.default.fileExists(atPath: file), "\(path): \(target) is not there")
        }
    }

    @Test func `every verb of the Makefile calls a script that can be run`() throws {
        let scripts = try Repository.lines("Makefile").filter { $0.hasPrefix("\t@scripts/") }.map {
            line in
            String(line.dropFirst(2).prefix { $0 != " " })
        }

        #expect(scripts.count >= 10)
        for script in scripts where !Self.arriving.contains(script) {
            let file = Repository.root.appending(path: script).path(percentEncoded: false)
            #expect(FileManager.default.isExecutableFile(atPath: file), "\(script)")
        }
    }

    @Test func `what others own or a build makes is not in the repository`() throws {
        let ignored = try Repository.lines(".gitignore")

        #expect(ignored.contains("Package.resolved"))
        for folder in ["chart", "injection", "install", "conflists"] {
            #expect(
                !Repository.files.contains { $0.hasPrefix("Tests/Recordings/\(folder)/") },
                "\(folder)"
            )
        }
        #expect(
            !Repository.files.contains { $0.hasSuffix(".conflist.golden") || $0.hasSuffix(".injected") }
        )
    }
}
