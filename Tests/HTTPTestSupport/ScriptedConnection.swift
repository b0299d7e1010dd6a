internal import CNIProtocol
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// One connection of a scripted server: collects a request, and carries out its answer.
final class ScriptedConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let connections: Connections
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ connections: Connections) { self.connections = connections }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let buffer): body += Array(buffer.readableBytesView)
        case .end:
            guard let head, let server = connections.server.withLock({ server in server }) else {
                context.close(promise: nil)
                return
            }
            let request = ReceivedRequest(head, body)
            perform(server.answer(to: request, on: context.channel), context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The client went away, or wants TLS where there is none: the test sees what it does next.
        context.close(promise: nil)
    }

    private func perform(_ answer: ScriptedServer.Reply, _ context: ChannelHandlerContext) {
        let channel = context.channel
        switch answer {
        case .body(let status, let bytes, let headers):
            var headers = headers
            headers.add(name: "Content-Type", value: "application/json")
            headers.add(name: "Content-Length", value: String(bytes.count))
            write(
                .head(HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)),
                context
            )
            write(.body(.byteBuffer(ByteBuffer(bytes: bytes))), context)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        case .stream(let lines, let piece):
            let headers: HTTPHeaders = ["Content-Type": "application/json", "Transfer-Encoding": "chunked"]
            write(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)), context)
            context.flush()
            for line in lines { Self.send(line: line, to: channel) }
            if let piece { Self.stream(piece, from: 0, to: channel) }
        case .half:
            let headers: HTTPHeaders = ["Content-Type": "application/json", "Content-Length": "1000"]
            write(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)), context)
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "{\"kind\":")))), promise: nil)
            Self.close(channel)
        case .garbage:
            do {
                let encoder = try context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
                encoder.writeAndFlush(NIOAny(ByteBuffer(string: "SSH-2.0-OpenSSH_9.2\r\n\r\n")), promise: nil)
            } catch {
                preconditionFailure("the server speaks HTTP: \(error)")
            }
            Self.close(channel)
        case .hang: break
        case .cut: context.close(promise: nil)
        }
    }

    private func write(_ part: HTTPServerResponsePart, _ context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(part), promise: nil)
    }

    // These are called under the server's lock, so they leave the work to the connection's own thread.

    static func send(line: [UInt8], to channel: any Channel) {
        channel.eventLoop.execute {
            let part = HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: line + [UInt8(ascii: "\n")])))
            channel.writeAndFlush(part, promise: nil)
        }
    }

    static func end(_ channel: any Channel) {
        channel.eventLoop.execute { channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil) }
    }

    static func close(_ channel: any Channel) {
        channel.eventLoop.execute { channel.close(promise: nil) }
    }

    /// Writes one piece after the other, the next only when the one before has gone out.
    private static func stream(_ piece: @escaping @Sendable (Int) -> [UInt8]?, from index: Int, to channel: any Channel)
    {
        guard let bytes = piece(index) else { return end(channel) }
        let part = HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: bytes)))
        channel.writeAndFlush(part).whenSuccess {
            // A write may be over at once, so that a call from here would go deeper with each piece.
            channel.eventLoop.execute { stream(piece, from: index + 1, to: channel) }
        }
    }
}
