import AgentProtocol
import Redirect
import Testing

@Suite struct MessageTests {
    static let request = AddRequest(
        podNamespace: "shop",
        podName: "cart-0",
        podUID: "2241435d",
        containerID: "c1",
        ips: ["10.0.0.2/24", "fd00::2/64"]
    )

    static let report = AddReport(
        podNamespace: "shop",
        podName: "cart-0",
        containerID: "c1",
        phases: AddReport.Phases(decode: 100, lookup: 900, apply: 1_500),
        outcome: .redirected,
        log: [#"{"level":"info","time":"2026-01-02T03:04:05.678901Z","msg":"redirected"}"#]
    )

    @Test func `a request has the members of the contract`() {
        #expect(
            String(decoding: Self.request.bytes(), as: UTF8.self)
                == #"{"podNamespace":"shop","podName":"cart-0","podUID":"2241435d","containerID":"c1","#
                + #""ips":["10.0.0.2/24","fd00::2/64"],"planVersions":[1]}"#
        )
    }

    @Test(arguments: [true, false])
    func `a plugin says whether its runtime hands over annotations`(hasAnnotations: Bool) throws {
        var request = Self.request
        request.hasAnnotations = hasAnnotations

        #expect(try AddRequest(request.bytes()) == request)
    }

    @Test func `messages come back as they were sent`() throws {
        #expect(try AddRequest(Self.request.bytes()) == Self.request)
        #expect(try AddReport(Self.report.bytes()) == Self.report)
        for reason in SkipReason.allCases {
            let answer = AddAnswer(skip: reason)
            #expect(try AddAnswer(answer.bytes()) == answer)
        }
    }

    @Test func `a refusal comes back as it was sent, and only what the pod or its addresses lack is final`() throws {
        for reason in AddRefusal.Reason.allCases {
            let refusal = AddRefusal(reason, "shop/cart-0: no")
            let reply = try AddReply(HTTPResponse(status: reason.rawValue, body: refusal.bytes()))
            #expect(reply == .refusal(refusal))
            #expect(refusal.isFinal == [422, 424].contains(reason.rawValue))
        }
    }

    @Test(arguments: [201, 400, 413, 500, 501])
    func `a status outside the contract is an error`(status: Int) {
        #expect(throws: MessageError("answer", .unexpectedStatus(status))) {
            try AddReply(HTTPResponse(status: status, body: []))
        }
    }

    @Test(arguments: [
        ("", "request cannot be read: at byte 0: expected a value"),
        ("[]", "request is not an object"),
        (#"{"podName":"a"}"#, "request.podNamespace is missing"),
        (#"{"podNamespace":""}"#, "request.podNamespace is not filled in"),
        (#"{"podNamespace":"a","podName":7}"#, "request.podName is not a string"),
        (#"{"podNamespace":"a","podName":"b","containerID":"c","ips":[7]}"#, "request.ips[0] is not a string"),
        (
            #"{"podNamespace":"a","podName":"b","containerID":"c","ips":[],"planVersions":[0]}"#,
            "request.planVersions[0] is not a number 1-1000000"
        ),
    ])
    func `a bad request is refused by the name of its field`(text: String, refusal: String) {
        let error = #expect(throws: MessageError.self) { try AddRequest(Array(text.utf8)) }

        #expect(error?.description == refusal)
    }

    @Test func `a name is refused one byte past its limit`() throws {
        var request = Self.request
        request.podName = String(repeating: "a", count: MessageLimits.nameBytes)
        #expect(try AddRequest(request.bytes()) == request)

        request.podName += "a"
        #expect(throws: MessageError("request.podName", .tooLong(limit: MessageLimits.nameBytes))) {
            try AddRequest(request.bytes())
        }
    }

    @Test func `a report leaves out log lines that the agent would refuse`() throws {
        var report = Self.report
        report.log = (0...MessageLimits.logLines).map { number in String(number) }
        report.log.append(String(repeating: "a", count: MessageLimits.logLineBytes + 1))

        let log = try AddReport(report.bytes()).log

        #expect(log == (1...MessageLimits.logLines).map { number in String(number) })
    }

    @Test(arguments: [
        ("\"outcome\":\"redirected\"", "\"outcome\":\"fine\"", "report.outcome is not an outcome of ADD"),
        ("\"apply\":1500", "\"apply\":-1", "report.phases.apply is not a number 0-600000000"),
    ])
    func `a bad report is refused by the name of its field`(good: String, bad: String, refusal: String) {
        let text = String(decoding: Self.report.bytes(), as: UTF8.self).replacing(good, with: bad)

        let error = #expect(throws: MessageError.self) { try AddReport(Array(text.utf8)) }

        #expect(error?.description == refusal)
    }
}
