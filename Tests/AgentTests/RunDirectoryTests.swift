import Foundation
import LinuxKernel
import Logging
import Testing

@testable import Agent

/// Who may look into the agent's run directory.
@Suite struct RunDirectoryTests {
    /// The mode that a directory with this mode has after a start of the agent; nil: it was not there.
    static func mode(from before: UInt32?, with content: (String) throws -> Void = { _ in }) throws -> UInt32? {
        let path = "/tmp/run-\(UInt64.random(in: .min ... .max))/istio-cni"
        if let before {
            try Directory.make(path, mode: before)
            try content(path)
        }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        try RunDirectory.prepare(path, logger)
        let after = try FileStatus.of(path)?.mode
        // Under /tmp, which is cleared anyway.
        try? FileManager.default.removeItem(atPath: path)
        return after
    }

    @Test(arguments: [(nil, 0o750), (0o755, 0o750), (0o777, 0o750), (0o700, 0o700), (0o2775, 0o2750)])
    func `it is closed to others, and never opened`(before: UInt32?, after: UInt32) throws {
        #expect(try Self.mode(from: before) == after)
    }

    @Test func `what an agent left in it does not keep it open`() throws {
        let after = try Self.mode(from: 0o755) { path in try File.replace("\(path)/agent.lock", with: [], mode: 0o600) }

        #expect(after == 0o750)
    }

    @Test func `a directory that others use too stays as it is`() throws {
        let after = try Self.mode(from: 0o755) { path in try Directory.make("\(path)/ztunnel", mode: 0o755) }

        #expect(after == 0o755)
    }
}
