internal import Foundation
internal import LinuxKernel
internal import Redirect

extension Attempt {
    /// Really connects, asks, and reads where it landed.
    ///
    /// - Parameters:
    ///   - pod: The pod's namespace.
    ///   - onlyUser: The user that this process is, where it can be no other.
    ///   - expectsAnswer: Whether somebody ought to answer; if not, the wait is short.
    /// - Returns: Where it landed, in words.
    func run(in pod: borrowing NetworkNamespace, onlyUser: UInt32?, expectsAnswer: Bool) -> String {
        let attempt = self
        do throws(KernelError) {
            switch origin {
            case .outside: return try attempt.exchange(owner: nil, bindsSource: false, expectsAnswer)
            case .process(_, let user, let group):
                let owner = onlyUser == nil ? ProcessOwner(user: user, group: group) : nil
                return try pod.run { () throws(KernelError) in
                    try attempt.exchange(owner: owner, bindsSource: true, expectsAnswer)
                }
            }
        } catch {
            switch error.errno {
            case .timedOut: return Landing.nowhere
            case .connectionRefused: return "nowhere: refused"
            default: return "nowhere: \(error.description)"
            }
        }
    }

    private func exchange(
        owner: ProcessOwner?,
        bindsSource: Bool,
        _ expectsAnswer: Bool
    ) throws(KernelError) -> String {
        let wait = expectsAnswer ? Self.answerMilliseconds : Self.silenceMilliseconds
        let kind: InternetSocket.Kind = transport == .tcp ? .tcp : .udp
        let socket = try InternetSocket(kind, source.family.internetFamily, owner: owner)
        if bindsSource { try socket.bind(to: SocketEndpoint(source.bytes, port: 0)) }
        try socket.connect(to: SocketEndpoint(destination.bytes, port: port), milliseconds: wait)
        switch transport {
        case .udp:
            try socket.send(Array("where?".utf8))
            return Self.landing(datagram: try socket.receive(milliseconds: wait))
        case .tcp:
            try socket.send(Array("GET /where HTTP/1.1\r\nHost: try\r\nConnection: close\r\n\r\n".utf8))
            let bytes = try socket.receiveToEnd(byteLimit: Self.longestAnswerBytes, milliseconds: wait)
            return landing(response: String(decoding: bytes, as: UTF8.self))
        }
    }

    private static func landing(datagram bytes: ArraySlice<UInt8>) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        return Landing(answer: text)?.description ?? "somewhere: \(text.prefix(80))"
    }

    /// Reads an answer in HTTP, whose body says where the connection landed.
    ///
    /// A header of Envoy's says that the answer has come through it; then the body tells where Envoy has passed the
    /// question on to, which ought to be where the attempt was going.
    func landing(response: String) -> String {
        let parts = response.components(separatedBy: "\r\n\r\n")
        let headers = Self.headers(parts[0])
        let answered = parts.count > 1 ? Landing(answer: parts[1]) : nil
        if let landing = headers[EnvoyConfiguration.landingHeader].flatMap({ Landing(answer: $0) }) {
            let address = headers[Listener.addressHeader] ?? "no address"
            if answered == Landing(place: target, port: port), address == toText { return landing.description }
            let next = answered.map { "\($0.place.rawValue) at \(address)" } ?? "'\(response.prefix(80))'"
            return "\(landing.description), passed on to \(next)"
        }
        return answered?.description ?? "somewhere: \(response.prefix(80))"
    }

    /// By name in lower case; the first line is none.
    private static func headers(_ head: String) -> [String: String] {
        var headers: [String: String] = [:]
        for line in head.components(separatedBy: "\r\n").dropFirst() {
            let field = line.components(separatedBy: ": ")
            headers[field[0].lowercased()] = field.dropFirst().joined(separator: ": ")
        }
        return headers
    }

    /// Everything is on one machine.
    private static let answerMilliseconds = 3_000
    private static let silenceMilliseconds = 300
    private static let longestAnswerBytes = 65_536
}
