import AgentProtocol
import CLinuxKernel
import Foundation
import LinuxKernel
import Redirect
import Synchronization
import Testing

/// A server on the agent's socket that says what a test wants, one answer a request, the last one again and again.
final class ScriptedAgent: Sendable {
    enum Reply: Sendable {
        case plan(RedirectPlan)

        /// The plan, after so long.
        case late(RedirectPlan, milliseconds: Int)
        case skip(SkipReason)
        case refusal(AddRefusal)

        /// These bytes, and the end of the connection.
        case bytes([UInt8])

        /// Nothing for so long, then the end of the connection.
        case silence(milliseconds: Int)
    }

    private let descriptor: CInt
    private let directory: TemporaryDirectory
    private let state: Mutex<(replies: [Reply], requests: [String])>

    init(in directory: TemporaryDirectory, _ replies: Reply...) throws {
        self.directory = directory
        let path = directory.path("pluginevent.sock")
        state = Mutex((replies, []))
        descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(status == 0)
        try #require(listen(descriptor, 128) == 0)
        Thread.detachNewThread { [self] in serve() }
    }

    /// Changes what it says from now on.
    func say(_ reply: Reply) { state.withLock { $0.replies = [reply] } }

    /// Stops taking connections.
    func stop() {
        shutdown(descriptor, CInt(SHUT_RDWR))
        close(descriptor)
        unlink(directory.path("pluginevent.sock"))
    }

    /// The request lines and bodies so far.
    var requests: [String] { state.withLock { $0.requests } }

    func count(_ path: String) -> Int { requests.count { $0.hasPrefix("POST \(path) ") } }

    /// Blocks until there was such a request, or for 10 s: the plugin does not wait until its report is read.
    func waitForRequest(_ path: String) {
        let deadline = Clock.monotonicMilliseconds() + 90_000
        while count(path) == 0, Clock.monotonicMilliseconds() < deadline { Clock.sleep(milliseconds: 5) }
    }

    private func serve() {
        while true {
            let connection = accept(descriptor, nil, nil)
            guard connection >= 0 else { return }
            Thread.detachNewThread { [self] in answer(connection) }
        }
    }

    private func answer(_ connection: CInt) {
        defer { close(connection) }
        let request = readRequest(connection)
        let reply = state.withLock { state in
            state.requests.append(request)
            guard request.hasPrefix("POST /v1/add ") else { return Reply?.none }
            return state.replies.count > 1 ? state.replies.removeFirst() : state.replies.first
        }
        switch reply {
        case nil: send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", connection)
        case .plan(let plan): send(200, AddAnswer.redirect(plan).bytes(), connection)
        case .skip(let reason): send(200, AddAnswer(skip: reason).bytes(), connection)
        case .late(let plan, let milliseconds):
            usleep(useconds_t(milliseconds * 1_000))
            send(200, AddAnswer.redirect(plan).bytes(), connection)
        case .refusal(let refusal): send(refusal.reason.rawValue, refusal.bytes(), connection)
        case .bytes(let bytes): send(bytes, connection)
        case .silence(let milliseconds): usleep(useconds_t(milliseconds * 1_000))
        }
    }

    private func send(_ status: Int, _ body: [UInt8], _ connection: CInt) {
        let head = "HTTP/1.1 \(status) X\r\nContent-Length: \(body.count)\r\nConnection: close\r\n\r\n"
        send(Array(head.utf8) + body, connection)
    }

    private func send(_ text: String, _ connection: CInt) { send(Array(text.utf8), connection) }

    private func send(_ bytes: [UInt8], _ connection: CInt) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                CLinuxKernel.send(connection, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            // The plugin has heard enough.
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// The head and as much of the body as its length says.
    private func readRequest(_ connection: CInt) -> String {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let end = text.range(of: "\r\n\r\n") {
                let head = text[..<end.lowerBound]
                let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
                    .flatMap { Int($0.dropFirst(16)) }
                if text[end.upperBound...].utf8.count >= length ?? 0 { return text }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return text }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
