internal import NIOCore
internal import NIOPosix

/// Finds the addresses of a host name: in `/etc/hosts`, then from the name servers of `/etc/resolv.conf`.
///
/// Own code because a static executable cannot use `getaddrinfo`, which loads libraries of the host. Queries go over
/// UDP; of an answer that does not fit, the addresses that do are enough.
package struct NameResolver: Sendable {
    /// How long one name server has for an answer, and how often it is asked: half of what the C library waits.
    private static let answerLimit = Duration.milliseconds(2_500)
    private static let attempts = 2

    package var readFile: ServiceAccount.ReadFile
    package var hostsPath = "/etc/hosts"
    package var configurationPath = "/etc/resolv.conf"

    /// Where name servers listen.
    package var port = 53
    package var answerLimit = NameResolver.answerLimit

    package init(readFile: @escaping ServiceAccount.ReadFile) { self.readFile = readFile }

    /// At least one address, IPv4 before IPv6.
    func addresses(of name: String) async throws(NameError) -> [String] {
        var reasons: [String] = []
        do {
            let known = HostsFile(try text(of: hostsPath, HostsFile.largestBytes)).addresses(of: name)
            if !known.isEmpty { return known }
            reasons.append("\(hostsPath) does not have it")
        } catch {
            reasons.append("\(hostsPath): \(error)")
        }
        let servers: [String]
        do {
            servers = ResolverConfiguration(try text(of: configurationPath, ResolverConfiguration.largestBytes)).servers
        } catch {
            throw NameError(name: name, reasons: reasons + ["\(configurationPath): \(error)"])
        }
        for _ in 0..<Self.attempts {
            for server in servers {
                async let ipv4 = answer(to: name, .ipv4, from: server)
                async let ipv6 = answer(to: name, .ipv6, from: server)
                let outcomes = await [ipv4, ipv6]
                let addresses = outcomes.flatMap { outcome in (try? outcome.get()) ?? [] }
                if !addresses.isEmpty { return addresses }
                for case .failure(let error) in outcomes {
                    reasons.append("name server \(server): \(error.description)")
                }
            }
        }
        throw NameError(name: name, reasons: reasons)
    }

    private func text(of path: String, _ byteLimit: Int) throws -> String {
        String(decoding: try readFile(path, byteLimit), as: UTF8.self)
    }

    /// The addresses of one family as one server knows them; none at all is a failure, with what the server says.
    private func answer(
        to name: String,
        _ family: DNSQuestion.Family,
        from server: String
    ) async -> Result<[String], DNSError> {
        guard let question = DNSQuestion(name: name, family: family, id: .random(in: .min ... .max)) else {
            return .failure(DNSError("that is no host name"))
        }
        do {
            let answer = try await withTimeLimit(answerLimit) { try await ask(question, server) }
            guard answer.addresses.isEmpty else { return .success(answer.addresses) }
            if answer.isNameUnknown { return .failure(DNSError("no such name")) }
            return .failure(DNSError(answer.isTruncated ? "its answer does not fit" : "no \(family) address"))
        } catch let error as DNSError {
            return .failure(error)
        } catch is TimeLimitReached {
            return .failure(DNSError("no answer within \(answerLimit)"))
        } catch {
            return .failure(DNSError("\(error)"))
        }
    }

    /// Sends a question and waits for its answer.
    ///
    /// The socket is connected, so the kernel lets only the server itself answer; and what answers another question is dropped.
    private func ask(_ question: DNSQuestion, _ server: String) async throws -> DNSAnswer {
        let address = try SocketAddress(ipAddress: server, port: port)
        let socket = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(to: address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>(
                        wrappingChannelSynchronously: channel
                    )
                }
            }
        return try await socket.executeThenClose { inbound, outbound in
            try await outbound.write(AddressedEnvelope(remoteAddress: address, data: ByteBuffer(bytes: question.bytes)))
            for try await message in inbound {
                let bytes = Array(message.data.readableBytesView)
                guard bytes.prefix(2) == question.bytes.prefix(2) else { continue }
                return try DNSAnswer(bytes, to: question)
            }
            try Task.checkCancellation()
            throw DNSError("the socket was closed")
        }
    }
}
