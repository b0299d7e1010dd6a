internal import NIOCore
internal import Synchronization

/// The open connections of a server, which are made before the server itself is.
final class Connections: Sendable {
    let server = Mutex(ScriptedServer?.none)
    private let channels = Mutex([any Channel]())

    func add(_ channel: any Channel) {
        channels.withLock { channels in
            channels.removeAll { channel in !channel.isActive }
            channels.append(channel)
        }
    }

    /// Closes all, and lets go of the server.
    func end() {
        let open = channels.withLock { channels in
            let open = channels
            channels = []
            return open
        }
        for channel in open { ScriptedConnection.close(channel) }
        server.withLock { server in server = nil }
    }
}
