import AgentProtocol
import Redirect
import TestSupport
import Testing

@Suite struct HTTPTests {
    private static let withLength = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
    private static let inChunks =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\n\r\n"
    private static let untilEnd = "HTTP/1.0 200\nServer: x\n\nhello"

    private static func read(_ text: String, isAtEnd: Bool = true) throws(HTTPError) -> HTTPResponse {
        try HTTPResponse(Array(text.utf8), isAtEnd: isAtEnd)
    }

    @Test func `a request says all that HTTP asks for`() {
        #expect(
            String(decoding: HTTPRequestText(post: "/v1/add", body: Array("{}".utf8)).bytes, as: UTF8.self)
                == "POST /v1/add HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        )
        #expect(
            String(decoding: HTTPRequestText(get: "/v1/status").bytes, as: UTF8.self)
                == "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
    }

    @Test(arguments: [withLength, inChunks, untilEnd])
    func `a body is read however its length is told`(text: String) throws {
        #expect(try Self.read(text) == HTTPResponse(status: 200, body: Array("hello".utf8)))
    }

    @Test func `an answer whose length is told does not wait for the end of the connection`() throws {
        #expect(try Self.read(Self.withLength, isAtEnd: false).body.count == 5)
        #expect(try Self.read(Self.inChunks, isAtEnd: false).body.count == 5)
        #expect(throws: HTTPError.incomplete) { try Self.read(Self.untilEnd, isAtEnd: false) }
        #expect(try Self.read("HTTP/1.1 204 No Content\r\n\r\n", isAtEnd: false).body.isEmpty)
    }

    @Test(arguments: 0..<withLength.utf8.count)
    func `a beginning of an answer is incomplete`(length: Int) {
        #expect(throws: HTTPError.incomplete) {
            try HTTPResponse(Array(Self.withLength.utf8.prefix(length)), isAtEnd: true)
        }
    }

    @Test(arguments: [
        "x", "HTTP/2 200\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 999\r\n\r\n",
        "HTTP/1.1 200\r\nno colon\r\n\r\n", "HTTP/1.1 200\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na",
        "HTTP/1.1 200\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    ])
    func `what no more bytes can repair is nonsense`(text: String) {
        let error = #expect(throws: HTTPError.self) { try Self.read(text, isAtEnd: false) }

        guard case .nonsense = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `headers are refused past their limit`() {
        let endless = "HTTP/1.1 200 OK\r\nA: " + String(repeating: "a", count: HTTPResponse.longestHeadBytes)

        for text in [endless, endless + "\r\n\r\n"] {
            #expect(throws: HTTPError.tooLarge("headers of more than 65536 bytes")) {
                try Self.read(text, isAtEnd: false)
            }
        }
    }

    @Test func `a body is refused one byte past its limit`() {
        let heads = ["Content-Length: 1048577\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n100001\r\n"]
        let untilEnd = "\r\n" + String(repeating: "a", count: HTTPResponse.longestBodyBytes + 1)

        for rest in heads + [untilEnd] {
            #expect(throws: HTTPError.tooLarge("a body of more than 1048576 bytes")) {
                try Self.read("HTTP/1.1 200 OK\r\n" + rest, isAtEnd: false)
            }
        }
    }

    @Test func `a body of exactly the limit is read`() throws {
        let body = String(repeating: "a", count: HTTPResponse.longestBodyBytes)

        #expect(try Self.read("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + body).body.count == 1_048_576)
    }
}

/// Damaged answers never trap and never hang, and every refusal says what is wrong.
@Suite(.timeLimit(.minutes(20))) struct AnswerFuzzTests {
    @Test func `an answer of the agent is read or refused`() {
        let bodies = [
            AddAnswer(skip: .notInjected).bytes(), AddAnswer.redirect(RedirectPlan()).bytes(),
            AddAnswer.redirect(PlanFormatTests.everything).bytes(),
        ]
        let answers = bodies.map { body in
            Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\nConnection: close\r\n\r\n".utf8) + body
        }
        let refusal = Array("HTTP/1.1 422 No\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        let chunk = Array("e\r\n{\"error\":\"no\"}\r\n0\r\n\r\n".utf8)
        let untilEnd = bodies.map { body in Array("HTTP/1.1 200 OK\r\n\r\n".utf8) + body }
        var inputs = Mutations(
            of: answers + untilEnd + [refusal + chunk],
            words: ["\r\n", "Content-Length: ", "chunked", "200", "\"plan\":", "\"only\":[", "\"version\":1"],
            seed: 11
        )
        var accepted = 0

        for number in 0..<Fuzzing.executions {
            let bytes = inputs.next()
            do throws(HTTPError) {
                let response = try HTTPResponse(bytes, isAtEnd: number.isMultiple(of: 2))
                do throws(MessageError) {
                    _ = try AddReply(response)
                    accepted += 1
                } catch {
                    if !error.description.utf8.starts(with: "answer".utf8) { Issue.record("\(error.description)") }
                }
            } catch {
                if !error.description.utf8.starts(with: "the answer ".utf8) { Issue.record("\(error.description)") }
            }
        }

        // Damage must neither be overlooked nor be total, else this tests little.
        #expect((Fuzzing.executions / 100..<Fuzzing.executions).contains(accepted))
    }

    @Test func `a message of the plugin is read or refused`() {
        var inputs = Mutations(
            of: [MessageTests.request.bytes(), MessageTests.report.bytes()],
            words: ["\"podName\":", "\"ips\":", "\"planVersions\":[", "\"log\":["],
            seed: 12
        )
        var accepted = 0

        for _ in 0..<Fuzzing.executions {
            let bytes = inputs.next()
            // What is refused is refused by a typed error; that is all this asks.
            if (try? AddRequest(bytes)) != nil { accepted += 1 }
            if (try? AddReport(bytes)) != nil { accepted += 1 }
        }

        #expect((Fuzzing.executions / 100..<Fuzzing.executions).contains(accepted))
    }
}
