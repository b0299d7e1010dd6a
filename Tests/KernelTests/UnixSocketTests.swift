import Foundation
import TestSupport
import Testing

@testable import LinuxKernel

@Suite struct UnixSocketTests {
    @Test func `what is sent arrives, and what the peer answers comes back`() async throws {
        let listener = try Listener()
        defer { listener.close() }

        let answer = try await onThread {
            let socket = try UnixSocket(connectingTo: listener.path, deadlineMilliseconds: 1_000)
            let peer = try listener.accept()
            try socket.send(Array("question".utf8), deadlineMilliseconds: 1_000)
            let question = try DescriptorStream.read(peer.rawValue, operation: "read")
            try DescriptorStream.writeAll(Array(question) + [33], to: peer.rawValue, operation: "write")
            shutdown(peer.rawValue, Int32(SHUT_RDWR))
            return try socket.receiveToEnd(byteLimit: 100, deadlineMilliseconds: 1_000)
        }

        #expect(String(decoding: answer, as: UTF8.self) == "question!")
    }

    @Test func `an answer arrives whole from a peer that has not read the question, and none is an error`() async throws
    {
        let listener = try Listener()
        defer { listener.close() }

        let (answer, reset) = try await onThread {
            let socket = try UnixSocket(connectingTo: listener.path, deadlineMilliseconds: 1_000)
            try socket.send(Array("question".utf8), deadlineMilliseconds: 1_000)
            var peer: OwnedDescriptor? = try listener.accept()
            try DescriptorStream.writeAll([33], to: peer?.rawValue ?? -1, operation: "write")
            peer = nil
            let answer = try socket.receiveToEnd(byteLimit: 100, deadlineMilliseconds: 1_000)

            let second = try UnixSocket(connectingTo: listener.path, deadlineMilliseconds: 1_000)
            try second.send(Array("question".utf8), deadlineMilliseconds: 1_000)
            peer = try listener.accept()
            peer = nil
            _ = peer
            let reset = refusal { () throws(KernelError) in
                _ = try second.receiveToEnd(byteLimit: 100, deadlineMilliseconds: 1_000)
            }
            return (answer, reset)
        }

        #expect(answer == [33])
        #expect(reset?.errno == .connectionReset)
    }

    @Test func `the peer's user is known`() throws {
        let listener = try Listener()
        defer { listener.close() }

        let user = try UnixSocket(connectingTo: listener.path, deadlineMilliseconds: 0).peerUser()

        #expect(user == geteuid())
    }

    @Test func `no socket, nobody who listens and a full queue are told apart`() throws {
        let listener = try Listener(backlog: 0)
        let first = try UnixSocket(connectingTo: listener.path, deadlineMilliseconds: 0)
        let full = Self.refusalOfConnection(to: listener.path)
        listener.close()
        // A child of another test that has not come to its exec yet still holds the listener.
        var deaf = Self.refusalOfConnection(to: listener.path)
        for _ in 0..<3_000 where deaf == .wouldBlock {
            Clock.sleep(milliseconds: 10)
            deaf = Self.refusalOfConnection(to: listener.path)
        }
        unlink(listener.path)
        let missing = Self.refusalOfConnection(to: listener.path)

        #expect([full, deaf, missing] == [.wouldBlock, .connectionRefused, .noSuchEntry])
        _ = try first.peerUser()
    }

    @Test func `a path that does not fit is refused`() {
        #expect(Self.refusalOfConnection(to: "/" + String(repeating: "x", count: 107)) == .nameTooLong)
        #expect(Self.refusalOfConnection(to: "/" + String(repeating: "x", count: 106)) == .noSuchEntry)
    }

    @Test func `an answer over the limit is refused, and one that does not end runs into the deadline`() async throws {
        let listener = try Listener()
        defer { listener.close() }

        let (tooBig, late) = try await onThread {
            let socket = try UnixSocket(connectingTo: listener.path, deadlineMilliseconds: 1_000)
            let peer = try listener.accept()
            try DescriptorStream.writeAll([1, 2, 3, 4], to: peer.rawValue, operation: "write")
            let tooBig = refusal { () throws(KernelError) in
                _ = try socket.receiveToEnd(byteLimit: 3, deadlineMilliseconds: 1_000)
            }
            let late = refusal { () throws(KernelError) in
                _ = try socket.receiveToEnd(byteLimit: 3, deadlineMilliseconds: 20)
            }
            return (tooBig, late)
        }

        #expect(tooBig?.errno == .tooBig)
        #expect(late?.errno == .timedOut)
    }

    @Test func `sending to a peer that does not read ends at the deadline, and to one that closed at once`()
        async throws
    {
        let listener = try Listener()
        defer { listener.close() }

        let (late, broken) = try await onThread {
            let socket = try UnixSocket(connectingTo: listener.path, deadlineMilliseconds: 1_000)
            let much = [UInt8](repeating: 0, count: 4_000_000)
            var peer: OwnedDescriptor? = try listener.accept()
            let late = refusal { () throws(KernelError) in try socket.send(much, deadlineMilliseconds: 20) }
            peer = nil
            _ = peer
            let broken = refusal { () throws(KernelError) in try socket.send([1], deadlineMilliseconds: 1_000) }
            return (late, broken)
        }

        #expect(late?.errno == .timedOut)
        #expect(broken?.errno == .brokenPipe || broken?.errno == .connectionReset)
    }

    private static func refusalOfConnection(to path: String) -> Errno? {
        refusal { () throws(KernelError) in
            _ = try UnixSocket(connectingTo: path, deadlineMilliseconds: 5)
        }?.errno
    }
}

/// A listening Unix socket under a name of its own.
private struct Listener: Sendable {
    let path = "/tmp/kernel-tests-\(UUID().uuidString.prefix(8)).sock"
    private let descriptor: Int32

    init(backlog: Int32 = 8) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = try UnixAddress.make(path, operation: "bind")
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0 && listen(descriptor, backlog) == 0)
    }

    func accept() throws(KernelError) -> OwnedDescriptor {
        try OwnedDescriptor("accept") { Foundation.accept(descriptor, nil, nil) }
    }

    func close() { Foundation.close(descriptor) }
}
