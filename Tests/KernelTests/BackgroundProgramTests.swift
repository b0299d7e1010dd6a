import Foundation
import LinuxKernel
import TestSupport
import Testing

@Suite struct BackgroundProgramTests {
    /// As in a checkout below the home of root, which nobody else may enter.
    private struct ClosedFolder: ~Copyable {
        let url = URL(filePath: "/tmp/closed-\(UInt32.random(in: .min ... .max))")

        init() throws {
            try FileManager.default.createDirectory(
                at: url,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        }

        deinit {
            // Under /tmp, which is cleared anyway.
            try? FileManager.default.removeItem(at: url)
        }

        func path(_ name: String) -> String { url.appending(path: name).path(percentEncoded: false) }
    }

    private static let stranger = ProcessOwner(user: 1337, group: 1337)

    private static func end(of program: BackgroundProgram) async throws -> ChildProcess.Ending? {
        try await onThread { try program.start().wait(milliseconds: 10_000) }
    }

    @Test(.requiresSeveralUsers)
    func `another user runs a program whose folder is closed to him`() async throws {
        let folder = try ClosedFolder()
        // No copy: a file that was just written is busy where another test forks (`execve(2)`, ETXTBSY).
        try FileManager.default.createSymbolicLink(atPath: folder.path("true"), withDestinationPath: "/bin/true")
        var program = BackgroundProgram(folder.path("true"))
        program.owner = Self.stranger

        #expect(try await Self.end(of: program) == .exit(0))
    }

    @Test(.requiresSeveralUsers)
    func `another user runs a script, and a program that is not there is an error`() async throws {
        // A script of bash, of Debian's libc-bin; without a file to look at it ends with 1.
        var program = BackgroundProgram("/usr/bin/ldd")
        program.owner = Self.stranger

        #expect(try await Self.end(of: program) == .exit(1))
        program.path = "/tmp/nothing-is-here"
        let error = await #expect(throws: KernelError.self) { try await Self.end(of: program) }
        #expect(error?.errno == .noSuchEntry)
    }
}
