import Foundation
import TestSupport
import Testing

@testable import LinuxKernel

@Suite struct FileTests {
    private let directory: URL

    init() throws {
        directory = URL(filePath: "/tmp/kernel-tests-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    private func path(_ name: String) -> String { directory.appending(path: name).path(percentEncoded: false) }

    @Test func `a replaced file has the new content and mode, and nothing else is left`() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        try Data("old and longer".utf8).write(to: directory.appending(path: "file"))

        try File.replace(path("file"), with: Array("new".utf8), mode: 0o644)

        let content = try File.read(path("file"), byteLimit: 3)
        let mode = try FileManager.default.attributesOfItem(atPath: path("file"))[.posixPermissions] as? Int
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path(percentEncoded: false))
        #expect(content == Array("new".utf8))
        #expect(mode == 0o644)
        #expect(names == ["file"])
    }

    @Test func `what replacing tells is the file that then stands there`() throws {
        defer { try? FileManager.default.removeItem(at: directory) }

        let first = try File.replace(path("file"), with: [1], mode: 0o600)
        let second = try File.replace(path("file"), with: [1], mode: 0o600)

        let found = try #require(try FileStatus.of(path("file")))
        #expect(found.inode == second.inode && found.modified == second.modified)
        #expect(found.mode == second.mode && found.byteCount == second.byteCount)
        #expect(first.inode != second.inode || first.modified != second.modified)
    }

    @Test func `a file over the limit is refused`() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        try File.replace(path("file"), with: [1, 2, 3, 4], mode: 0o600)

        let error = refusal { () throws(KernelError) in _ = try File.read(path("file"), byteLimit: 3) }

        #expect(error == KernelError("read \(path("file"))", .tooBig))
    }

    @Test func `a file that cannot be replaced leaves no temporary file`() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        try FileManager.default.createDirectory(atPath: path("file"), withIntermediateDirectories: false)

        let error = refusal { () throws(KernelError) in try File.replace(path("file"), with: [1], mode: 0o600) }

        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path(percentEncoded: false))
        #expect(error?.operation == "write \(path("file"))")
        #expect(names == ["file"])
    }

    @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 200_000])
    func `a copy has the content of its source, however long`(count: Int) throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let bytes = (0..<count).map { number in UInt8(truncatingIfNeeded: number &* 31) }
        try File.replace(path("source"), with: bytes, mode: 0o600)

        try File.copy(path("source"), to: path("target"), mode: 0o755)

        let isSame = try File.haveSameContent(path("source"), path("target"))
        let status = try FileStatus.of(path("target"))
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path(percentEncoded: false))
        #expect(isSame)
        #expect(status?.byteCount == count)
        #expect(status?.mode == 0o755)
        #expect(names.sorted() == ["source", "target"])
    }

    @Test(arguments: [([], [1]), ([1], []), ([1, 2], [1, 3]), ([1], [1, 2])] as [([UInt8], [UInt8])])
    func `files that differ are told apart`(left: [UInt8], right: [UInt8]) throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        try File.replace(path("left"), with: left, mode: 0o600)
        try File.replace(path("right"), with: right, mode: 0o600)

        let isSame = try File.haveSameContent(path("left"), path("right"))

        #expect(!isSame)
    }

    @Test func `a file is removed once`() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        try File.replace(path("file"), with: [1], mode: 0o600)

        let first = try File.remove(path("file"))
        let second = try File.remove(path("file"))

        #expect(first)
        #expect(!second)
    }

    @Test func `a file tells its kind, and a missing one is none`() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        try File.replace(path("file"), with: [1, 2], mode: 0o640)

        let file = try FileStatus.of(path("file"))
        let folder = try FileStatus.of(directory.path(percentEncoded: false))
        let missing = try FileStatus.of(path("missing"))

        #expect(file?.kind == .regular)
        #expect(file?.byteCount == 2)
        #expect(file?.mode == 0o640)
        #expect(folder?.kind == .directory)
        #expect(missing == nil)
    }

    @Test func `a watch of several directories tells of links, modes and files that are moved away`() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        for name in ["a", "b"] {
            try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: false)
        }
        try File.replace(path("b/file"), with: [1], mode: 0o600)
        let watch = try DirectoryWatch(everythingIn: [path("a"), path("b")])

        try FileManager.default.createSymbolicLink(atPath: path("a/link"), withDestinationPath: "nowhere")
        let link = try watch.wait(milliseconds: 5_000)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path("b/file"))
        let mode = try watch.wait(milliseconds: 5_000)
        try FileManager.default.moveItem(atPath: path("b/file"), toPath: path("moved"))
        let moved = try watch.wait(milliseconds: 5_000)
        try FileManager.default.removeItem(atPath: path("a"))
        let gone = try watch.wait(milliseconds: 5_000)

        #expect(link == .files(["link"]))
        #expect(mode == .files(["file"]))
        #expect(moved == .files(["file"]))
        #expect(gone == .gone)
    }

    @Test func `a log never grows over its limit, and the older half is kept`() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let log = BoundedLog(path("log"), byteLimit: 10)

        for line in ["one", "two", "three", "four"] { try log.append(Array(line.utf8)) }

        let newer = try String(contentsOfFile: path("log"), encoding: .utf8)
        let older = try String(contentsOfFile: path("log.1"), encoding: .utf8)
        #expect(newer == "four\n")
        #expect(older == "three\n")
        let mode = try FileManager.default.attributesOfItem(atPath: path("log"))[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func `a log does not follow a link`() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        try FileManager.default.createSymbolicLink(atPath: path("log"), withDestinationPath: path("target"))

        let error = refusal { () throws(KernelError) in
            try BoundedLog(path("log"), byteLimit: 1_000).append(Array("line".utf8))
        }

        #expect(error?.errno == .tooManyLinks)
        #expect(!FileManager.default.fileExists(atPath: path("target")))
    }
}
