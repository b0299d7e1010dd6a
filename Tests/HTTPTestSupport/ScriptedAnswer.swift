package import CNIProtocol

/// What a scripted server does with one request.
package enum ScriptedAnswer: Sendable {
    /// What an API server with these objects does.
    case normal

    /// A refusal with a `Status`.
    case status(Int, reason: String = "", message: String = "", retryAfter: Int? = nil)

    /// These bytes as the body, with a status.
    case body([UInt8], status: Int = 200)

    /// A body that is made while it is sent: piece 0, 1, ..., until nil.
    case stream(@Sendable (Int) -> [UInt8]?)

    /// Bytes that are no HTTP.
    case garbage

    /// Nothing, until the client goes away.
    case hang

    /// The connection is closed without an answer.
    case cut

    /// A head that promises more than comes before the connection is closed.
    case half

    package static func json(_ value: JSONValue, status: Int = 200) -> ScriptedAnswer {
        .body(value.bytes(), status: status)
    }
}

extension JSONValue {
    /// A refusal as the API server words it (`../Recordings/api`).
    static func status(
        _ code: Int,
        reason: String,
        message: String,
        retryAfter: Int? = nil
    ) -> JSONValue {
        var members = [
            JSONMember("kind", .string("Status")), JSONMember("apiVersion", .string("v1")),
            JSONMember("metadata", .object([])), JSONMember("status", .string("Failure")),
            JSONMember("message", .string(message)), JSONMember("reason", .string(reason)),
        ]
        if let retryAfter {
            members.append(
                JSONMember("details", .object([JSONMember("retryAfterSeconds", .integer(retryAfter))]))
            )
        }
        return .object(members + [JSONMember("code", .integer(code))])
    }
}
