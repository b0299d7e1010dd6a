package import CNIProtocol
package import Redirect

/// What the agent decided about a pod (status 200).
package enum AddAnswer: Equatable, Sendable {
    /// The pod is left alone. The reason is a stable word (`SkipReason.rawValue`, or one of a newer agent);
    /// the sentence is for people.
    case skip(reason: String, sentence: String)

    case redirect(RedirectPlan)

    package init(skip reason: SkipReason) {
        self = .skip(reason: reason.rawValue, sentence: reason.sentence)
    }

    /// Reads an answer.
    ///
    /// Members beside the plan that are unknown here come from a newer agent and are passed over.
    package init(_ bytes: [UInt8]) throws(MessageError) {
        let reader = try MessageReader(bytes, path: "answer")
        switch try reader.text("decision", limit: 32) {
        case "skip":
            self = .skip(
                reason: try reader.filledText("reason", limit: 64),
                sentence: try reader.text("sentence", limit: MessageLimits.sentenceBytes, default: "")
            )
        case "redirect": self = .redirect(try PlanFormat.read(reader.object("plan")))
        default: throw MessageError(reader.field("decision"), .notA("skip or redirect"))
        }
    }

    package func bytes() -> [UInt8] { bytes { plan in PlanFormat.value(of: plan) } }

    /// The answer with the plan in a version that the caller chose.
    package func bytes(plan value: (RedirectPlan) -> JSONValue) -> [UInt8] {
        switch self {
        case .skip(let reason, let sentence):
            JSONValue.object([
                JSONMember("decision", .string("skip")),
                JSONMember("reason", .string(reason)),
                JSONMember("sentence", .string(sentence)),
            ]).bytes()
        case .redirect(let plan):
            JSONValue.object([
                JSONMember("decision", .string("redirect")),
                JSONMember("plan", value(plan)),
            ]).bytes()
        }
    }
}

/// Why the agent has no answer.
package struct AddRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    package let reason: Reason

    /// One sentence for people, which names the pod, and for `badPod` the annotation and its value.
    package let message: String

    /// The raw value is the HTTP status.
    package enum Reason: Int, CaseIterable, Sendable {
        /// The agent knows no such pod, perhaps not yet.
        case podUnknown = 404

        /// The agent knows a pod of this name, but another one.
        case uidDiffers = 409

        /// The pod says something about its redirection that makes no sense.
        case badPod = 422

        /// The addresses that the runtime gave the pod do not tell which families are redirected.
        case noAddress = 424

        /// Agent and plugin share no version of the plan: one of them is about to be replaced.
        case noCommonPlanVersion = 426

        /// The agent has not read its pods yet, or too many wait already.
        case notReady = 503
    }

    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// Whether asking again cannot help, because the pod itself or its addresses have to change first.
    package var isFinal: Bool {
        switch reason {
        case .badPod, .noAddress: true
        case .podUnknown, .uidDiffers, .noCommonPlanVersion, .notReady: false
        }
    }

    package var description: String { message }

    /// The body that goes with the status.
    package func bytes() -> [UInt8] { JSONValue.object([JSONMember("error", .string(message))]).bytes() }

    init(_ reason: Reason, body: [UInt8]) throws(MessageError) {
        let reader = try MessageReader(body, path: "answer")
        self.init(reason, try reader.filledText("error", limit: MessageLimits.sentenceBytes))
    }
}

/// All that can come back from `POST /v1/add`.
package enum AddReply: Equatable, Sendable {
    case answer(AddAnswer)
    case refusal(AddRefusal)

    /// - Throws: What is wrong with the answer, statuses that are not in the contract included.
    package init(_ response: HTTPResponse) throws(MessageError) {
        if response.status == 200 {
            self = .answer(try AddAnswer(response.body))
        } else if let reason = AddRefusal.Reason(rawValue: response.status) {
            self = .refusal(try AddRefusal(reason, body: response.body))
        } else {
            throw MessageError("answer", .unexpectedStatus(response.status))
        }
    }
}
