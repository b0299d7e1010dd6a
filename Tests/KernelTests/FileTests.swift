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
