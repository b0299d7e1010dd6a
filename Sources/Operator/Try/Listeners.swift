internal import Foundation
internal import LinuxKernel
internal import Redirect
internal import Synchronization

/// Somebody who takes connections and says, in HTTP, where they have landed.
struct Listener: Hashable, Sendable {
    var place: Attempt.Place
    var transport: TransportProtocol

    /// The address is unspecified for TCP; datagrams are answered from the address that they went to.
    var address: IPAddress
    var port: UInt16
    var isTransparent = false

    /// Opens the socket in the namespace of the calling thread.
    func open(owner: ProcessOwner?) throws(KernelError) -> InternetSocket {
        let kind: InternetSocket.Kind = transport == .tcp ? .tcp : .udp
        let socket = try InternetSocket(kind, address.family.internetFamily, owner: owner)
        if isTransparent { try socket.setTransparent() }
        try bind(socket, to: SocketEndpoint(address.bytes, port: port))
        if transport == .tcp { try socket.listen() }
        return socket
    }

    /// The kernel may hold an IPv6 address back for a moment after it was added (RFC 4862, 5.4).
    private func bind(_ socket: InternetSocket, to endpoint: SocketEndpoint) throws(KernelError) {
        let deadline = Clock.monotonicMilliseconds() + Self.addressMilliseconds
        while true {
            do throws(KernelError) {
                return try socket.bind(to: endpoint)
            } catch {
                guard error.errno == .addressNotAvailable, Clock.monotonicMilliseconds() < deadline else { throw error }
            }
            Clock.sleep(milliseconds: 20)
        }
    }

    /// Duplicate address detection takes 1 to 2 s.
    private static let addressMilliseconds = 5_000

    /// Answers until `isStopped`.
    func serve(_ socket: InternetSocket, owner: ProcessOwner?, until isStopped: StopSignal) {
        while !isStopped.isSet {
            do throws(KernelError) {
                switch transport {
                case .tcp: try answerConnection(socket.accept(owner: owner, milliseconds: Self.pauseMilliseconds))
                case .udp:
                    try socket.answerDatagram(milliseconds: Self.pauseMilliseconds) { _ in
                        Array(Landing(place: place, port: port).answer.utf8)
                    }
                }
            } catch {
                // Nobody came, or whoever came has gone: the client's own failure is what gets reported.
            }
        }
    }

    private func answerConnection(_ connection: InternetSocket) throws(KernelError) {
        let local = try connection.localEndpoint()
        var landing = Landing(place: place, port: port)
        if place == .sidecar {
            // TPROXY leaves the destination as it is; REDIRECT writes it down elsewhere.
            let original = local.port == port ? try connection.originalDestination() : local
            landing.original = original.description
        }
        _ = try connection.receive(milliseconds: Self.questionMilliseconds)
        let body = landing.answer
        try connection.send(
            Array(
                ("HTTP/1.1 200 OK\r\nserver: \(place.rawValue)\r\n\(Self.addressHeader): \(local.description)\r\n"
                    + "connection: close\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)").utf8
            )
        )
    }

    /// The address at which the connection arrived.
    static let addressHeader = "address"

    /// How soon a listener notices that it is to stop.
    private static let pauseMilliseconds = 200

    /// A client on this machine asks at once.
    private static let questionMilliseconds = 1_000
}

/// Tells threads that they are no longer needed.
final class StopSignal: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .relaxed) }

    func set() { value.store(true, ordering: .relaxed) }
}

extension Landing {
    /// The one line that a listener answers.
    var answer: String { "\(place.rawValue) \(port) \(original ?? "-")" }

    init?(answer: some StringProtocol) {
        let words = answer.split(separator: " ")
        guard words.count == 3, let place = Attempt.Place(rawValue: String(words[0])), let port = UInt16(words[1])
        else { return nil }
        self.init(place: place, port: port, original: words[2] == "-" ? nil : String(words[2]))
    }
}

extension AddressFamily {
    var internetFamily: InternetFamily { self == .ipv4 ? .ipv4 : .ipv6 }

    var unspecified: IPAddress { IPAddress(self, bits: 0) }
}
