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
            var bytes: [UInt8] = []
            while bytes.count < Self.longestAnswerBytes {
                let part = try socket.receive(milliseconds: wait)
                if part.isEmpty { break }
                bytes += part
            }
            return Self.landing(response: String(decoding: bytes, as: UTF8.self))
        }
    }

    private static func landing(datagram bytes: ArraySlice<UInt8>) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        return Landing(answer: text)?.description ?? "somewhere: \(text.prefix(80))"
    }

    /// Reads an answer in HTTP, whose body says where the connection landed.
    static func landing(response: String) -> String {
        let parts = response.components(separatedBy: "\r\n\r\n")
        guard parts.count > 1, let landing = Landing(answer: parts[1]) else {
            return "somewhere: \(response.prefix(80))"
        }
        return landing.description
    }

    /// Everything is on one machine.
    private static let answerMilliseconds = 3_000
    private static let silenceMilliseconds = 300
    private static let longestAnswerBytes = 65_536
}
