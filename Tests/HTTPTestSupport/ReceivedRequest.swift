package import CNIProtocol
internal import Foundation
internal import NIOHTTP1

/// A request as the server got it.
package struct ReceivedRequest: Sendable {
    package let method: String

    /// With the query, as it was sent.
    package let target: String
    package let path: String
    package let query: [String: String]

    /// By name in lower case.
    package let headers: [String: String]
    package let bodyBytes: [UInt8]

    init(_ head: HTTPRequestHead, _ body: [UInt8]) {
        method = head.method.rawValue
        target = head.uri
        let halves = head.uri.split(separator: "?", maxSplits: 1)
        path = halves.first.map(String.init) ?? ""
        var query: [String: String] = [:]
        for pair in (halves.count > 1 ? halves[1] : "").split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1)
            query[String(sides[0])] = sides.count > 1 ? sides[1].removingPercentEncoding ?? "" : ""
        }
        self.query = query
        headers = Dictionary(
            head.headers.map { name, value in (name.lowercased(), value) },
            uniquingKeysWith: { first, second in "\(first), \(second)" }
        )
        bodyBytes = body
    }

    package var isWatch: Bool { query["watch"] != nil }

    /// The body; null where it is no JSON.
    package var body: JSONValue {
        // Only what a test compares; a body that is no JSON is seen by comparing with something else than null.
        (try? JSONValue(parsing: bodyBytes)) ?? ProtobufSecret.json(bodyBytes)
    }
}
