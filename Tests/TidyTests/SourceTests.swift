import Foundation
import Testing

/// Habits of this repository that neither the compiler nor the formatter checks.
@Suite struct SourceTests {
    /// Text that has one home, and what to write instead everywhere else.
    static let homes: [(text: String, home: String?, instead: String)] = [
        ("errno)", "LinuxKernel/Syscalls/", "systemCall(_:), which reads errno in time"),
        ("c_linux_errno", "LinuxKernel/Syscalls/", "systemCall(_:), which reads errno in time"),
        ("setenv(", nil, "a parameter"),
        (".properties.name", nil, "the scalar's value: scripts/build links the plugin without the names"),
        ("try!", nil, "a thrown error"),
        (
            "fatalError(", nil,
            "a thrown error, or a precondition that says what the programmer did wrong"
        ),
        ("FIXME", nil, "an issue"),
        ("// XXX", nil, "an issue"),
        ("@unchecked Sendable", nil, "a value, an actor or a Mutex"),
        ("#if DEBUG", nil, "one behaviour"),
        ("import XCTest", nil, "Swift Testing"),
    ]

    static let longestFileLines = 400
    static let longestFunctionLines = 70

    /// Names that exclude nothing, and so grow.
    static let emptyNames: Set<String> = [
        "Utils", "Utilities", "Helpers", "Common", "Extensions", "Extras", "Core", "Models", "Manager",
        "Misc",
    ]

    @Test func `there are sources to look at`() {
        #expect(Repository.sources.contains("Sources/Redirect/Policy/RedirectPlan.swift"))
    }

    @Test(arguments: Repository.sources)
    func `text with one home stands nowhere else`(path: String) throws {
        let text = try Repository.text(path)

        for rule in Self.homes where rule.home.map({ !path.contains($0) }) ?? true {
            #expect(!text.contains(rule.text), "\(path): '\(rule.text)': write \(rule.instead)")
        }
    }

    @Test(arguments: Repository.swiftFiles)
    func `a file can be read in one go`(path: String) throws {
        let lines = try Repository.lines(path).count

        #expect(lines <= Self.longestFileLines + 1, "\(path) has \(lines) lines")
    }

    @Test(arguments: Repository.swiftFiles)
    func `a function fits a screen`(path: String) throws {
        for function in FunctionLengths.measure(try Repository.lines(path)) {
            #expect(
                function.lines <= Self.longestFunctionLines,
                "\(path):\(function.start): \(function.name) has \(function.lines) lines"
            )
        }
    }

    @Test(arguments: Repository.swiftFiles)
    func `a file is named for what it holds`(path: String) {
        let components = path.split(separator: "/").map { String($0.prefix { $0 != "." }) }

        #expect(Self.emptyNames.isDisjoint(with: components), "\(path)")
        #expect(!(components.last ?? "").hasSuffix("Manager"), "\(path)")
    }

    @Test(
        arguments: Repository.swiftFiles.filter {
            $0.hasPrefix("Tests/") && $0.hasSuffix("Tests.swift")
        }
    )
    func `the file of a suite is named after it`(path: String) throws {
        let name = URL(filePath: path).deletingPathExtension().lastPathComponent

        #expect(try Repository.text(path).contains(name), "\(path) declares no \(name)")
    }
}
