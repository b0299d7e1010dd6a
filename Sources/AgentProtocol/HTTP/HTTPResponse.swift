/// An answer of the agent, read from all the bytes of its connection (RFC 9112).
package struct HTTPResponse: Equatable, Sendable {
    /// 200 to 599: interim answers are no answers.
    package var status: Int
    package var body: [UInt8]

    package init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }

    /// The longest status line and headers together; the agent sends some 200 bytes.
    package static let longestHeadBytes = 64 * 1_024

    /// The longest body: a plan whose lists come from annotations of 64 KiB each stays under it.
    package static let longestBodyBytes = 1_024 * 1_024

    /// The most bytes that are worth reading: chunks of one byte cost six each, and then nobody asks for more.
    package static let longestBytes = longestHeadBytes + longestBodyBytes + 64 * 1_024

    /// Reads an answer from what has come so far.
    ///
    /// - Parameters:
    ///   - bytes: All that has come since the connection was made.
    ///   - isAtEnd: Whether the agent has closed the connection, so that no more will come.
    ///   - bodyLimit: The longest body, in bytes.
    /// - Throws: `.incomplete` where more bytes may help, or would have helped if the connection had not ended.
    package init(_ bytes: [UInt8], isAtEnd: Bool, bodyLimit: Int = longestBodyBytes) throws(HTTPError) {
        var parser = HTTPResponseParser(bytes, isAtEnd: isAtEnd, bodyLimit: bodyLimit)
        self = try parser.response()
    }
}

/// Why some bytes are not the answer.
package enum HTTPError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What there is may be the beginning of an answer.
    case incomplete

    /// No more bytes can make an answer of this. The text completes "expected ...".
    case nonsense(expected: String)

    /// The text says of what there is too much.
    case tooLarge(String)

    package var description: String {
        switch self {
        case .incomplete: "the answer ends too early"
        case .nonsense(let expected): "the answer is no HTTP: expected \(expected)"
        case .tooLarge(let what): "the answer is too large: \(what)"
        }
    }
}

private struct HTTPResponseParser {
    private let bytes: [UInt8]
    private let isAtEnd: Bool
    private let bodyLimit: Int
    private var offset = 0

    init(_ bytes: [UInt8], isAtEnd: Bool, bodyLimit: Int) {
        self.bytes = bytes
        self.bodyLimit = bodyLimit
        self.isAtEnd = isAtEnd
    }

    /// How the length of the body is told (RFC 9112, 6.3).
    private enum Framing: Equatable {
        case untilEnd
        case length(Int)
        case chunked
    }

    mutating func response() throws(HTTPError) -> HTTPResponse {
        let status = try readStatus()
        let framing = try readHeaders()
        guard status != 204, status != 304 else { return HTTPResponse(status: status, body: []) }
        switch framing {
        case .length(let length): return HTTPResponse(status: status, body: Array(try take(length)))
        case .chunked: return HTTPResponse(status: status, body: try readChunks())
        case .untilEnd:
            let body = bytes[offset...]
            guard body.count <= bodyLimit else { throw bodyTooLarge }
            guard isAtEnd else { throw HTTPError.incomplete }
            return HTTPResponse(status: status, body: Array(body))
        }
    }

    private var bodyTooLarge: HTTPError { .tooLarge("a body of more than \(bodyLimit) bytes") }

    /// `HTTP/1.1 200 OK`, where the words are optional.
    private mutating func readStatus() throws(HTTPError) -> Int {
        // Checked byte by byte first, so that garbage without an end of line is not waited for.
        for (index, expected) in "HTTP/1.".utf8.enumerated() {
            guard index < bytes.count else { throw HTTPError.incomplete }
            guard bytes[index] == expected else { throw HTTPError.nonsense(expected: "HTTP/1.1") }
        }
        let line = try readHeadLine()
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard
            parts.count >= 2, parts[0].count == 8,
            parts[0].last == UInt8(ascii: "0") || parts[0].last == UInt8(ascii: "1")
        else { throw HTTPError.nonsense(expected: "HTTP/1.1 and a status") }
        guard parts[1].count == 3, let status = number(parts[1], radix: 10), (200...599).contains(status) else {
            throw HTTPError.nonsense(expected: "a status 200-599")
        }
        return status
    }

    private mutating func readHeaders() throws(HTTPError) -> Framing {
        var framing = Framing.untilEnd
        while true {
            let line = try readHeadLine()
            if line.isEmpty { return framing }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else {
                throw HTTPError.nonsense(expected: "a header")
            }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = withoutBlanks(line[(colon + 1)...])
            let told: Framing
            switch name {
            case "content-length":
                guard let length = number(value, radix: 10) else {
                    throw HTTPError.nonsense(expected: "a number in Content-Length")
                }
                guard length <= bodyLimit else { throw bodyTooLarge }
                told = .length(length)
            case "transfer-encoding":
                guard String(decoding: value, as: UTF8.self).lowercased() == "chunked" else {
                    throw HTTPError.nonsense(expected: "chunked as the transfer encoding")
                }
                told = .chunked
            default: continue
            }
            // Two statements about the length are how requests are smuggled (RFC 9112, 11.2).
            guard framing == .untilEnd || framing == told else {
                throw HTTPError.nonsense(expected: "one statement about the length")
            }
            framing = told
        }
    }

    private mutating func readHeadLine() throws(HTTPError) -> ArraySlice<UInt8> {
        let line = try readLine()
        guard let line, offset <= HTTPResponse.longestHeadBytes else {
            guard bytes.count <= HTTPResponse.longestHeadBytes else {
                throw HTTPError.tooLarge("headers of more than \(HTTPResponse.longestHeadBytes) bytes")
            }
            throw HTTPError.incomplete
        }
        return line
    }

    /// The bytes up to CR LF, which is passed over, or to LF alone (RFC 9112, 2.2); nil where neither has come.
    private mutating func readLine() throws(HTTPError) -> ArraySlice<UInt8>? {
        guard let end = bytes[offset...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        var line = bytes[offset..<end]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        offset = end + 1
        guard !line.contains(0), !line.contains(UInt8(ascii: "\r")) else {
            throw HTTPError.nonsense(expected: "a line of text")
        }
        return line
    }

    private mutating func take(_ count: Int) throws(HTTPError) -> ArraySlice<UInt8> {
        guard bytes.count - offset >= count else { throw HTTPError.incomplete }
        defer { offset += count }
        return bytes[offset..<(offset + count)]
    }

    private mutating func readChunks() throws(HTTPError) -> [UInt8] {
        var body: [UInt8] = []
        while true {
            guard let line = try readLine() else {
                guard bytes.count - offset <= 1_024 else {
                    throw HTTPError.nonsense(expected: "the size of a chunk")
                }
                throw HTTPError.incomplete
            }
            let digits = withoutBlanks(line.prefix { byte in byte != UInt8(ascii: ";") })
            guard let size = number(digits, radix: 16) else {
                throw HTTPError.nonsense(expected: "the size of a chunk")
            }
            guard size <= bodyLimit - body.count else { throw bodyTooLarge }
            // Trailers after the last chunk say nothing that is used here.
            if size == 0 { return body }
            body += try take(size)
            guard let end = try readLine() else { throw HTTPError.incomplete }
            guard end.isEmpty else { throw HTTPError.nonsense(expected: "the end of a chunk") }
        }
    }

    /// Digits and nothing else, at most eight of them: more is too much for any length here.
    private func number(_ digits: ArraySlice<UInt8>, radix: Int) -> Int? {
        guard (1...8).contains(digits.count) else { return nil }
        var number = 0
        for byte in digits {
            let digit: Int
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = Int(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = Int(byte - UInt8(ascii: "a")) + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = Int(byte - UInt8(ascii: "A")) + 10
            default: return nil
            }
            guard digit < radix else { return nil }
            number = number * radix + digit
        }
        return number
    }

    private func withoutBlanks(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text
        while text.first == 0x20 || text.first == 0x09 { text.removeFirst() }
        while text.last == 0x20 || text.last == 0x09 { text.removeLast() }
        return text
    }
}
