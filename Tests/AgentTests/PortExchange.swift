import AgentProtocol
import Foundation
import LinuxKernel
import Logging
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

/// A service that listens on a port of its own choice, for the length of one test.
struct ServedPort {
    /// Gets what is to be told the port.
    let make: (@escaping @Sendable (Int) -> Void) -> any Service

    /// Runs the service until `body` returns.
    func run(_ body: (_ port: UInt16) async throws -> Void) async throws {
        let (ports, told) = AsyncStream.makeStream(of: Int.self)
        let service = make { port in told.yield(port) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let group = ServiceGroup(configuration: .init(services: [service], logger: logger))
        let run = Task {
            defer { told.finish() }
            try await group.run()
        }
        guard let port = await ports.first(where: { _ in true }) else {
            try await run.value
            Issue.record("it ended without listening")
            return
        }
        do {
            try await body(UInt16(port))
        } catch {
            await group.triggerGracefulShutdown()
            try await run.value
            throw error
        }
        await group.triggerGracefulShutdown()
        try await run.value
    }
}

/// One request over TCP, with all of its answer.
func request(
    _ method: String = "GET",
    _ path: String,
    port: UInt16,
    address: [UInt8] = [127, 0, 0, 1]
) async throws -> (response: HTTPResponse, head: String) {
    let bytes = try await onThread {
        let endpoint = SocketEndpoint(address, port: port)
        let socket = try InternetSocket(.tcp, endpoint.family, owner: nil)
        try socket.connect(to: endpoint, milliseconds: 10_000)
        try socket.send(Array("\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8))
        var bytes: [UInt8] = []
        while true {
            let part = try socket.receive(milliseconds: 10_000)
            if part.isEmpty { return bytes }
            bytes += part
        }
    }
    let head = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n\r\n")[0]
    return (try HTTPResponse(bytes, isAtEnd: true), head.lowercased())
}
