import CLinuxKernel
import Foundation
import LinuxKernel
import Redirect
import TestSupport
import Testing

/// A server in a namespace that tells each client from where to where its connection came.
final class HTTPServer: Sendable {
    /// What the header `server` says, unless a proxy on the way overwrites it.
    static let name = "test"

    private let descriptor: CInt

    /// Listens on all addresses of both families.
    init(port: UInt16, in namespace: borrowing NetworkNamespace) throws {
        // A socket stays in the namespace that it was opened in.
        descriptor = try namespace.run { () throws(KernelError) in
            let descriptor = socket(AF_INET6, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw KernelError("open socket", Errno(rawValue: errno)) }
            return descriptor
        }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
        try #require(status == 0, "bind: errno \(errno)")
        try #require(listen(descriptor, SOMAXCONN) == 0)
        Thread.detachNewThread { [self] in serve() }
    }

    /// Ends the wait for clients; to be called once.
    func stop() { shutdown(descriptor, CInt(SHUT_RDWR)) }

    /// What the body says.
    struct Connection: CustomStringConvertible {
        let from: IPAddress
        let to: IPAddress
        let port: UInt16

        var description: String { "from \(from.description) to \(to.description) port \(port)" }
    }

    private func serve() {
        defer { close(descriptor) }
        while true {
            let connection = accept(descriptor, nil, nil)
            guard connection >= 0 else { return }
            Thread.detachNewThread { Self.answer(connection) }
        }
    }

    private static func answer(_ connection: CInt) {
        defer { close(connection) }
        var head = ""
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while !head.contains("\r\n\r\n") {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            head += String(decoding: buffer[..<count], as: UTF8.self)
        }
        let (client, _) = endpoint { address, length in getpeername(connection, address, length) }
        let (own, port) = endpoint { address, length in getsockname(connection, address, length) }
        let body = "from \(client) to \(own) port \(port)"
        let text =
            "HTTP/1.1 200 OK\r\nServer: \(name)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
        // A client that is gone does not wait for an answer.
        _ = text.withCString { bytes in send(connection, bytes, text.utf8.count, CInt(MSG_NOSIGNAL)) }
    }

    /// Address and port as text, an IPv4 address in its own form.
    private static func endpoint(
        _ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt
    ) -> (String, String) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var service = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let status = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> CInt in
                guard call(pointer, &length) == 0 else { return -1 }
                let flags = NI_NUMERICHOST | NI_NUMERICSERV
                let lengths = (socklen_t(host.count), socklen_t(service.count))
                return getnameinfo(pointer, length, &host, lengths.0, &service, lengths.1, flags)
            }
        }
        guard status == 0 else { return ("nobody", "0") }
        let address = text(host)
        return (address.hasPrefix("::ffff:") ? String(address.dropFirst(7)) : address, text(service))
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// What an HTTP client got.
struct HTTPReply: Equatable {
    /// The header `server`, which a proxy overwrites.
    let server: String
    let body: String
}

extension NetworkNamespace {
    /// Asks a server, as a program of that user in this namespace.
    func fetch(_ address: IPAddress, _ port: UInt16, asUser user: UInt32) async throws -> HTTPReply {
        let host = address.family == .ipv4 ? address.description : "[\(address.description)]"
        let text = try await command(
            "setpriv",
            "--reuid",
            "\(user)",
            "--regid",
            "\(user)",
            "--clear-groups",
            "curl",
            "-q",
            "-sS",
            "-i",
            "--max-time",
            "20",
            "http://\(host):\(port)/"
        )
        let end = try #require(text.range(of: "\r\n\r\n"))
        let server = text[..<end.lowerBound].split(separator: "\r\n")
            .first { $0.lowercased().hasPrefix("server: ") }
        return HTTPReply(server: String(server?.dropFirst(8) ?? ""), body: String(text[end.upperBound...]))
    }
}
