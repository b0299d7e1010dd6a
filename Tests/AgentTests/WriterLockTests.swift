import Foundation
import LinuxKernel
import Redirect
import TestSupport
import Testing

@testable import Agent

/// Which agent of a node writes.
@Suite(.timeLimit(.minutes(1))) struct WriterLockTests {
    @Test func `an agent is undecided until it has tried the lock, and the writer when it has it`() async throws {
        let directory = try Self.makeDirectory()
        defer { Self.remove(directory) }
        let status = Self.status()
        #expect(status.role == .undecided)

        try await Self.whileTrying(directory, status) {
            try await eventually("writes") { status.role == .writer }

            // As a second agent would: flock(2) is of the open file, not of the process.
            #expect(try Self.isHeld(directory))
        }
    }

    @Test func `only a lock that another holds makes an agent stand by, until the other goes`() async throws {
        let directory = try Self.makeDirectory()
        defer { Self.remove(directory) }
        let (first, second) = (Self.status(), Self.status())
        let other = Task { try await WriterLock(runDirectory: directory, status: first).run() }
        try await eventually("the first writes") { first.role == .writer }

        try await Self.whileTrying(directory, second) {
            try await eventually("stands by") { second.role == .standby }
            other.cancel()
            try await other.value
            try await eventually("writes") { second.role == .writer }
        }
    }

    @Test func `a lock that cannot be reached is no other agent`() async throws {
        let directory = try Self.makeDirectory()
        defer { Self.remove(directory) }
        // A directory where the lock is to be: EISDIR.
        try FileManager.default.createDirectory(atPath: "\(directory)/agent.lock", withIntermediateDirectories: true)
        let status = Self.status()
        status.role = .standby

        try await Self.whileTrying(directory, status) {
            try await eventually("tells why") {
                guard case .unable(let reason) = status.role else { return false }
                return reason.contains("open \(directory)/agent.lock: ") && reason.contains("s a directory")
            }
            try FileManager.default.removeItem(atPath: "\(directory)/agent.lock")
            try await eventually("writes") { status.role == .writer }
        }
    }

    // MARK: -

    private static func whileTrying(
        _ directory: String,
        _ status: AgentStatus,
        _ body: () async throws -> Void
    ) async throws {
        let task = Task { try await WriterLock(runDirectory: directory, status: status).run() }
        do {
            try await body()
        } catch {
            task.cancel()
            try await task.value
            throw error
        }
        task.cancel()
        try await task.value
    }

    private static func isHeld(_ directory: String) throws -> Bool {
        do throws(KernelError) {
            _ = try FileLock("\(directory)/agent.lock")
            return false
        } catch {
            guard error.errno == .wouldBlock else { throw error }
            return true
        }
    }

    private static func makeDirectory() throws -> String {
        let path = "/tmp/lock-\(UInt64.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private static func remove(_ path: String) {
        // Under /tmp, which is cleared anyway.
        try? FileManager.default.removeItem(atPath: path)
    }

    private static func status() -> AgentStatus {
        AgentStatus(backend: BackendChoice(.nftables, "of the test"), version: "1.2.3", readiness: Readiness([]))
    }
}
