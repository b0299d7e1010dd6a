import AgentProtocol
import Foundation
import Logging
import Synchronization
import Testing

@testable import Agent

@Suite(.timeLimit(.minutes(2))) struct LogTests {
    /// Lines that a handler wrote.
    private final class Lines: Sendable {
        private let text = Mutex("")

        func logger(_ levels: String, _ format: LineLogHandler.Format, scope: String = LogScope.plugin) throws -> Logger
        {
            let levels = try LogLevels(levels)
            return Logger(label: scope) { scope in
                LineLogHandler(scope: scope, levels: levels, format: format) { bytes in
                    self.text.withLock { text in text += String(decoding: bytes, as: UTF8.self) }
                }
            }
        }

        var all: String { text.withLock { text in text } }
    }

    @Test func `a plugin's line is repeated with its own time and labels`() throws {
        let lines = Lines()
        let relay = LogRelay(logger: try lines.logger("debug", .json))

        relay.write(
            [
                #"{"level":"warn","time":"2026-01-02T03:04:05.678901Z","scope":"x","msg":" hi \n","pod":"a/b","n":1}"#
                    + "\n"
            ],
            metadata: ["pod": "ns/p"]
        )

        #expect(
            lines.all
                == #"{"level":"warn","time":"2026-01-02T03:04:05.678901Z","scope":"cni-plugin","msg":"hi","n":"1","#
                + #""pod":"ns/p"}"# + "\n"
        )
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"level":"info","time":7,"msg":"a"}"#, #"{"level":"info","time":"now","msg":"a"}"#,
        #"{"level":"loud","time":"2026-01-02T03:04:05Z","msg":"a"}"#,
    ])
    func `what is no log line is left out`(line: String) throws {
        let lines = Lines()

        LogRelay(logger: try lines.logger("info", .json)).write([line])

        #expect(lines.all.isEmpty)
    }

    @Test func `text from outside cannot begin a line of its own`() throws {
        let lines = Lines()
        let logger = try lines.logger("info", .text)

        logger.info("a", metadata: ["pod": "x\nfatal\u{1B}[31m", "time": "t"])

        #expect(lines.all == "t\tinfo\tcni-plugin\ta\tpod=x\\u{a}fatal\\u{1b}[31m\n")
    }

    @Test(arguments: [
        ("default:info", "info warn"), ("warn", "warn"), ("none", ""),
        ("default:none,cni-plugin:debug", "debug info warn"),
        ("cni-agent:debug", "info warn"), ("default:debug,cni-plugin:error", ""),
    ])
    func `a scope has its own level, or the default`(levels: String, written: String) throws {
        let lines = Lines()
        let logger = try lines.logger(levels, .text)

        logger.debug("debug")
        logger.info("info")
        logger.warning("warn")

        let words = lines.all.split(separator: "\n").compactMap { line in line.split(separator: "\t").last }
        #expect(words.joined(separator: " ") == written)
    }

    @Test func `a level that is none is refused by name`() {
        #expect(throws: LogLevels.Failure(text: "all:loud")) { try LogLevels("default:info,all:loud") }
    }

    @Test(arguments: [
        #"["{\"level\":\"info\",\"time\":\"2026-01-02T03:04:05Z\",\"msg\":\"a\"}"]"#, "[]", "garbage", "",
    ])
    func `log dot sock answers 200 whatever it is sent`(body: String) async throws {
        let agent = try RunningAgent()

        try await agent.run { () async throws in
            let request = HTTPRequestText(post: "/log", body: Array(body.utf8))

            #expect(try await agent.response(request, on: agent.logSocket) == HTTPResponse(status: 200, body: []))
        }
    }

    @Test func `too much log is refused`() async throws {
        let agent = try RunningAgent()

        try await agent.run { () async throws in
            let request = HTTPRequestText(
                post: "/log",
                body: [UInt8](repeating: 0x20, count: MessageLimits.logBodyBytes + 1)
            )

            #expect(try await agent.response(request, on: agent.logSocket).status == 413)
        }
    }
}
