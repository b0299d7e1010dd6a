internal import LinuxKernel
internal import Logging
internal import NIOCore

/// Closes a connection whose peer is not one of these users, before a byte of HTTP is read.
final class PeerGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any
    typealias InboundOut = Any

    private let users: Set<UInt32>
    private let logger = Logger(label: LogScope.agent)

    init(users: Set<UInt32>) { self.users = users }

    func channelActive(context: ChannelHandlerContext) {
        check(context)
        context.fireChannelActive()
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { check(context) }
    }

    private func check(_ context: ChannelHandlerContext) {
        let channel = context.channel
        guard let provider = channel as? any SocketOptionProvider else {
            channel.close(promise: nil)
            return
        }
        let level = SocketOptionLevel(PeerCredentials.optionLevel)
        let name = SocketOptionName(PeerCredentials.option)
        provider.unsafeGetSocketOption(level: level, name: name)
            .whenComplete { [users, logger] (result: Result<PeerCredentials, any Error>) in
                switch result {
                case .success(let peer) where users.contains(peer.user): return
                case .success(let peer):
                    logger.warning(
                        "connection refused: the peer is another user",
                        metadata: ["user": "\(peer.user)", "process": "\(peer.process)"]
                    )
                case .failure(let error):
                    logger.warning("connection refused: the peer is unknown", metadata: ["error": "\(error)"])
                }
                channel.close(promise: nil)
            }
    }
}
