import Foundation
import LinuxKernel
import Testing

/// Files below another root.
@Suite struct FileTreeTests {
    private let top = URL(filePath: "/tmp/tree-\(UInt32.random(in: .min ... .max))")

    /// A root with a file, and links that a process with that root follows in its own way.
    private func make() throws -> FileTree {
        let root = top.appending(path: "root/etc")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        try Data("inside".utf8).write(to: root.appending(path: "name"))
        try Data("outside".utf8).write(to: top.appending(path: "secret"))
        for (name, target) in [("absolute", "/etc/name"), ("up", "../../secret"), ("out", "/etc/passwd")] {
            try FileManager.default.createSymbolicLink(
                atPath: root.appending(path: name).path(percentEncoded: false),
                withDestinationPath: target
            )
        }
        return try FileTree(top.appending(path: "root").path(percentEncoded: false))
    }

    @Test func `a link is followed as from the other root, and none leads out`() throws {
        defer { try? FileManager.default.removeItem(at: top) }  // Under /tmp, which is cleared anyway.
        let tree = try make()

        #expect(try tree.read("/etc/absolute", byteLimit: 16) == Array("inside".utf8))
        #expect(try tree.read("/etc/up", byteLimit: 16) == nil)
        #expect(try tree.read("/etc/out", byteLimit: 16) == nil)
        #expect(try tree.read("/../../secret", byteLimit: 16) == nil)
    }

    @Test func `what is no file or too long is refused, and what is not there is nil`() throws {
        defer { try? FileManager.default.removeItem(at: top) }  // Under /tmp, which is cleared anyway.
        let tree = try make()

        #expect(throws: KernelError.self) { try tree.read("/etc", byteLimit: 16) }
        #expect(throws: KernelError.self) { try tree.read("/etc/name", byteLimit: 3) }
        #expect(try tree.status("/etc/nothing") == nil)
        #expect(try tree.names(in: "/nothing", limit: 9).isEmpty)
        #expect(try tree.names(in: "/etc", limit: 9) == ["absolute", "name", "out", "up"])
    }
}
