import Agent
import AgentProtocol
import CNIProtocol
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct SocketServerTests {
    private static func mode(_ path: String) -> Int? {
        // No attributes: there is no such file at this moment.
        (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int
    }

    @Test func `a socket is never seen with another mode than 0600`() async throws {
        let agent = try RunningAgent()
        let path = agent.pluginSocket
        let isOver = Mutex(false)
        let observer = Task.detached {
            try await onThread {
                var seen: Set<Int> = []
                while !isOver.withLock({ isOver in isOver }) {
                    if let mode = Self.mode(path) { seen.insert(mode) }
                }
                return seen
            }
        }

        try await agent.run { () async throws in
            #expect(Self.mode(agent.runDirectory) == 0o750)
            #expect(Self.mode(agent.logSocket) == 0o600)
            let names = try FileManager.default.contentsOfDirectory(atPath: agent.runDirectory)
            #expect(names.sorted() == ["agent.lock", "log.sock", "pluginevent.sock"])
        }
        isOver.withLock { isOver in isOver = true }

        #expect(try await observer.value == [0o600])
    }

    @Test func `another user's connection is closed before anything is read`() async throws {
        let agent = try RunningAgent()
        var limits = SocketLimits()
        limits.users = [4_242]

        try await agent.run(limits: limits) { () async throws in
            let answer = try await agent.exchange(HTTPRequestText(get: "/v1/status").bytes)

            #expect(answer.isEmpty)
        }
    }

    @Test func `a socket that was removed or replaced is there again`() async throws {
        let agent = try RunningAgent()

        try await agent.run { () async throws in
            for replacement in [nil, Data("not a socket".utf8)] {
                try FileManager.default.removeItem(atPath: agent.pluginSocket)
                if let replacement { try replacement.write(to: URL(filePath: agent.pluginSocket)) }

                try await eventually("the socket answers again") { try await agent.status()["ready"] == .bool(true) }
            }
        }
    }

    @Test func `on exit the agent removes its own sockets, and not a successor's`() async throws {
        let agent = try RunningAgent()
        var limits = SocketLimits()
        // Longer than the test, so that the agent does not take its path back.
        limits.lookMilliseconds = 3_600_000

        try await agent.runWithoutCleaning(limits: limits) { () async throws in
            try FileManager.default.removeItem(atPath: agent.pluginSocket)
            try Data("successor".utf8).write(to: URL(filePath: agent.pluginSocket))
        }

        #expect(try String(contentsOfFile: agent.pluginSocket, encoding: .utf8) == "successor")
        #expect(!FileManager.default.fileExists(atPath: agent.logSocket))
        try FileManager.default.removeItem(at: agent.root)
    }

    @Test func `of two agents on a node one writes, and the other takes over when it goes`() async throws {
        let agent = try RunningAgent()

        try await agent.run { () async throws in
            try await eventually("the first agent writes") { try await agent.status()["writer"] == .bool(true) }

            try await agent.runWithoutCleaning { () async throws in
                try await eventually("the second agent has taken over the socket, and does not write") {
                    try await agent.status()["writer"] == .bool(false)
                }
            }

            // It is gone, and the first agent has bound its socket again.
            try await eventually("the first agent answers") { try await agent.status()["writer"] == .bool(true) }
        }
    }

    @Test func `a hundred requests at once are all answered`() async throws {
        let agent = try RunningAgent(pods: ["cart.json": Sample.pod()])

        try await agent.run { () async throws in
            let answers = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        guard case .answer(.redirect) = try await agent.ask(Sample.request) else { return false }
                        return true
                    }
                }
                return try await group.reduce(0) { count, isAnswered in count + (isAnswered ? 1 : 0) }
            }

            #expect(answers == 100)
        }
    }
}
