import Foundation
import Testing

@testable import LinuxKernel

/// What `stat(2)` tells, whatever a file claims.
@Suite struct FileStatusTests {
    @Test(arguments: [
        (0, 0, 0), (1, 5, 1_000_000_005), (-1, 999_999_999, 0), (.min, 0, 0), (.max, 999_999_999, .max),
        (9_223_372_036, 854_775_807, .max), (9_223_372_036, 854_775_808, .max), (9_223_372_037, 0, .max),
    ])
    func `a time that does not fit counts as the nearest that does`(seconds: Int, rest: Int, expected: Int) {
        #expect(FileStatus.nanoseconds(seconds, rest) == expected)
    }

    @Test func `a file from the year 2400 can be looked at`() throws {
        let path = "/tmp/file-\(UInt64.random(in: .min ... .max))"
        try File.replace(path, with: [1], mode: 0o600)
        let date = Date(timeIntervalSince1970: 13_569_465_600)
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)

        let status = try FileStatus.of(path)

        // What the file system could not keep it has made less.
        #expect(try #require(status).modified > 2_000_000_000_000_000_000)
        try File.remove(path)
    }
}
