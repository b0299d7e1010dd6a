/// One request as HTTP/1.1 writes it.
///
/// A connection carries one request and is closed by the agent.
package struct HTTPRequestText: Equatable, Sendable {
    package let bytes: [UInt8]

    /// A request without a body.
    ///
    /// - Parameter path: A literal of this project, never text from outside, since nothing is escaped.
    package init(get path: String) {
        bytes = Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
    }

    /// A request with a body of JSON.
    ///
    /// - Parameters:
    ///   - path: A literal of this project, never text from outside, since nothing is escaped.
    ///   - body: The message.
    package init(post path: String, body: [UInt8]) {
        let head =
            "POST \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            + "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n\r\n"
        bytes = Array(head.utf8) + body
    }

    package init(_ request: AddRequest) {
        self.init(post: AddRequest.path, body: request.bytes())
    }

    package init(_ report: AddReport) {
        self.init(post: AddReport.path, body: report.bytes())
    }
}
